# cpu: max qemu64
# A generated database in a file: indexes, joins, aggregates, windows, recursion, text and floating point.
sqlite3 database </cases/sql/work.sql
sqlite3 database 'pragma journal_mode=wal; begin; update sales set amount = amount * 1.01 where id % 3 = 0; commit; select printf("%.10f", sum(amount)) from sales; pragma integrity_check;'
sqlite3 database .dump | sha256sum
sqlite3 database 'vacuum; pragma integrity_check; pragma page_count;'
