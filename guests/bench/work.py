# The Python row: dictionaries, strings, objects, closures and floats. Argument: rounds.
import sys


class Account:
    def __init__(self, name, balance):
        self.name = name
        self.balance = balance

    def pay(self, other, amount):
        self.balance -= amount
        other.balance += amount


def words(n):
    state = 12345
    for _ in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield "w%d" % (state % 977)


def one_round(seed):
    counts = {}
    for word in words(4000):
        counts[word] = counts.get(word, 0) + 1
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    accounts = [Account(name, count) for name, count in common]
    for i in range(3000):
        accounts[i % 20].pay(accounts[(i * 7 + seed) % 20], i % 5)
    text = ",".join("%s=%d" % (account.name, account.balance) for account in accounts)
    mean = sum(account.balance * 0.5 for account in accounts) / len(accounts)
    return sum(ord(c) * (i % 13) for i, c in enumerate(text)) + int(mean * 1000)


total = 0
for turn in range(int(sys.argv[1])):
    total = (total * 31 + one_round(turn)) % 1000000007
print(total)
