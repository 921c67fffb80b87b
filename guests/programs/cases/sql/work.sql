pragma synchronous = normal;
create table people(id integer primary key, name text not null, city text, born integer);
create table sales(id integer primary key, person integer references people(id), item text, amount real, day text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
insert into people select i, 'name' || (i * 7919 % 2003), 'city' || (i * i % 37), 1940 + i * 31 % 70 from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
insert into sales select i, 1 + i * 6151 % 2000, 'item' || (i * 31 % 113), (i * 7 % 1009) / 7.0 + i / 1e5, date('2020-01-01', '+' || (i % 1461) || ' days') from n;
create index sales_person on sales(person);
create index sales_item on sales(item, day);
create index people_city on people(city collate nocase);
analyze;
select city, count(*), printf('%.12g', sum(amount)), printf('%.12g', avg(amount)), printf('%.12g', max(amount)), min(day) from people join sales on person = people.id group by city order by sum(amount) desc limit 20;
select item, total(amount), group_concat(distinct substr(day, 1, 4)) from sales where day between '2021-03-01' and '2022-02-28' group by item having count(*) > 80 order by 2 limit 20;
select p.name, s.amount, rank() over (partition by p.city order by s.amount desc), sum(s.amount) over (partition by p.city order by s.id rows 5 preceding), ntile(4) over (order by s.amount), lag(s.amount) over (order by s.id)
from people p join sales s on s.person = p.id where p.id < 12 order by s.id limit 60;
select count(*), sum(a.amount * b.amount) from sales a join sales b on a.person = b.person and a.id < b.id and a.item > b.item;
select strftime('%Y-%m', day) as month, round(sum(amount), 3), count(distinct person) from sales group by month order by month;
with recursive mandelbrot(y, x, cx, cy, i, a, b) as (
    select y.value, x.value, -2.0 + x.value * 0.1, -1.0 + y.value * 0.2, 0, 0.0, 0.0 from generate_series(0, 10) y, generate_series(0, 30) x
    union all select y, x, cx, cy, i + 1, a * a - b * b + cx, 2.0 * a * b + cy from mandelbrot where a * a + b * b < 4.0 and i < 28)
select group_concat(mark, '') from (select y, substr(' .+*#', 1 + min(max(i) / 7, 4), 1) as mark from mandelbrot group by y, x order by y, x) group by y;
select upper(name), lower(hex(name)), replace(name, 'name', 'n'), instr(name, '9'), length(name), unicode(name), like('%1_', name), name glob '*[3-5]' from people where id % 199 = 0;
select 0.1 + 0.2, 1e308 * 10, -1e308 * 10, 1 / 3.0, 9223372036854775807 + 1, cast('1e3x' as real), cast(1e19 as integer), 5 / 2, -5 % 3, 5 << 62, ~0, 3.0, 1e15, 1e16, 123456789.123456789, 5e-324;
select typeof(1 + 1.0), typeof(1 || 1), abs(-9223372036854775807), round(2.5), round(-0.5), max(1, 2.5, 'a'), coalesce(null, 7), nullif(1, 1);
select sin(1), cos(1), exp(1), ln(2), log10(2), pow(2, 0.5), sqrt(2), atan2(1, 2), pi(), floor(-1.5), mod(7.5, 2), degrees(1), tanh(0.3);
select json_extract('{"a":[1,2.5,{"b":"c"}]}', '$.a[1]', '$.a[2].b'), json_group_array(id) from people where id < 6;
select julianday('2024-02-29 12:34:56'), datetime(1709210096, 'unixepoch'), strftime('%J %s %w %f', '2000-01-01 00:00:00.125');
begin;
delete from sales where id % 17 = 3;
savepoint s;
update sales set amount = -amount where item = 'item5';
rollback to s;
commit;
create virtual table words using fts5(body);
insert into words select name || ' ' || city || ' text ' || (id % 50) from people;
select count(*), sum(rowid) from words where words match 'city1 OR text 7';
select snippet(words, 0, '[', ']', '', 4), round(bm25(words), 6) from words where words match 'city3' limit 5;
pragma integrity_check;
select count(*), printf('%.9f', sum(amount)), printf('%.9f', sum(amount * amount)), sum(length(item)) from sales;
.print done
