// What C++ adds: exceptions through many frames, virtual calls, containers, strings, streams, threads, random numbers, regular expressions.
#include <algorithm>
#include <array>
#include <charconv>
#include <complex>
#include <deque>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
};
struct Square : Shape {
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
};
struct Circle : virtual Shape {
    double radius;
    explicit Circle(double r) : radius(r) {}
    double area() const override { return 3.25 * radius * radius; }
};

static int alive;
struct Counted {
    Counted() { alive++; }
    ~Counted() { alive--; }
};
struct Failure : std::runtime_error {
    int depth;
    Failure(int d) : std::runtime_error("failure at " + std::to_string(d)), depth(d) {}
};

static long dive(int depth, int stop) {
    Counted counted;
    if (depth == stop)
        throw Failure(depth);
    try {
        return dive(depth + 1, stop) + 1;
    } catch (const std::bad_alloc &) {
        return -1;
    } catch (Failure &f) {
        if (depth % 7 == 0)
            throw;
        if (depth % 11 == 0)
            throw Failure(depth);
        throw;
    }
}

int main() {
    std::mt19937_64 source(99);
    std::cout << std::setprecision(17);
    std::vector<std::unique_ptr<Shape>> shapes;
    for (int i = 0; i < 5000; i++)
        if (source() & 1)
            shapes.push_back(std::make_unique<Square>(i * 0.1));
        else
            shapes.push_back(std::make_unique<Circle>(i * 0.2));
    double area = 0;
    for (int turn = 0; turn < 20; turn++)
        for (auto &shape : shapes)
            area += shape->area() + (dynamic_cast<Circle *>(shape.get()) ? 1 : 0);
    std::cout << area << '\n';

    long caught = 0;
    for (int i = 0; i < 400; i++)
        try {
            dive(0, i % 60);
        } catch (const std::exception &e) {
            caught = caught * 31 + std::string(e.what()).size() + alive;
        }
    std::cout << caught << ' ' << alive << '\n';

    std::map<std::string, int> tree;
    std::unordered_map<std::string, int> table;
    std::set<long> numbers;
    for (int i = 0; i < 20000; i++) {
        std::string key = "key" + std::to_string(source() % 3000);
        tree[key] += i, table[key] ^= i, numbers.insert(source() % 10000);
    }
    long sum = 0;
    for (auto &[key, value] : tree)
        sum = sum * 17 + value + key.size() + table[key];
    std::cout << sum << ' ' << tree.size() << ' ' << std::accumulate(numbers.begin(), numbers.end(), 0L) << '\n';

    std::vector<double> values(20000);
    std::normal_distribution<double> normal(0, 1);
    std::generate(values.begin(), values.end(), [&] { return normal(source); });
    std::sort(values.begin(), values.end());
    std::nth_element(values.begin(), values.begin() + 500, values.end(), std::greater<>());
    std::cout << values[500] << ' ' << std::accumulate(values.begin(), values.end(), 0.0) << ' ' << std::inner_product(values.begin(), values.end(), values.rbegin(), 0.0) << '\n';

    std::ostringstream stream;
    for (int i = 0; i < 500; i++)
        stream << std::setw(8) << i << std::hex << i * 77 << std::dec << std::scientific << std::exp(i * 0.1) << std::defaultfloat << std::sqrt(i) << ' ';
    std::cout << std::hash<std::string>()(stream.str()) << ' ' << stream.str().size() << '\n';
    std::string text = stream.str();
    std::regex pattern("([0-9]+)\\.([0-9]{2})");
    std::cout << std::distance(std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()) << '\n';
    for (double x : {0.1, 1e300, 5e-324, 123456.789}) {
        std::array<char, 64> buffer;
        auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), x).ptr;
        double back;
        std::from_chars(buffer.data(), end, back);
        std::cout << std::string(buffer.data(), end) << (back == x ? " same " : " differs ");
    }
    std::cout << '\n';

    std::vector<std::future<long>> futures;
    for (int i = 0; i < 8; i++)
        futures.push_back(std::async(std::launch::async, [i] {
            long total = 0;
            for (int k = 0; k < 200; k++)
                try {
                    dive(0, k % 20 + i);
                } catch (const Failure &f) {
                    total += f.depth;
                }
            if (i == 5)
                throw Failure(1000);
            return total;
        }));
    for (auto &future : futures)
        try {
            std::cout << future.get() << ' ';
        } catch (const Failure &f) {
            std::cout << f.what() << ' ';
        }
    std::complex<double> z = 1;
    for (int i = 0; i < 1000; i++)
        z = z * std::complex<double>(0.9, 0.3) + std::sin(z) / 2.0;
    std::variant<int, std::string> either = std::string("text");
    std::cout << z << ' ' << std::get<std::string>(either) << '\n';
    try {
        std::get<int>(either);
    } catch (const std::bad_variant_access &e) {
        std::cout << e.what() << '\n';
    }
}
