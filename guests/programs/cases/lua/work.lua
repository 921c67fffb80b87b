-- Traces of all kinds: integers, floats, strings, tables, closures, coroutines, bit operations, C data.
local bit, ffi = require "bit", require "ffi"
local function show(name, ...) print(name, ...) end

local state = 42
local function nextNumber() state = (state * 16807) % 2147483647; return state end

local total = 0
for i = 1, 2000000 do total = (total + i * i % 7) % 1000003 end
show("integers", total)
local x, y = 0.5, 0
for i = 1, 500000 do x = 3.9 * x * (1 - x); y = y + math.sin(x) * math.sqrt(i) - math.floor(x * 10) + x ^ 3 end
show("floats", string.format("%.14g %.14g", x, y))
local h = 0
for i = 1, 1000000 do h = bit.bxor(bit.rol(h, 5), bit.band(i, 0xff), bit.lshift(i, 7), bit.arshift(h, 3)) end
show("bits", h, bit.tohex(bit.bnot(h)), bit.bswap(h))
local sieve, count = {}, 0
for i = 2, 200000 do
    if not sieve[i] then
        count = count + 1
        for j = i * i, 200000, i do sieve[j] = true end
    end
end
show("sieve", count)
local words, parts = {}, {}
for i = 1, 20000 do
    local w = string.char(97 + nextNumber() % 26, 97 + nextNumber() % 5) .. (nextNumber() % 50)
    words[w] = (words[w] or 0) + 1
    parts[#parts + 1] = w
end
local text = table.concat(parts, " ")
local names = {}
for name in pairs(words) do names[#names + 1] = name end
table.sort(names, function(a, b) return words[a] > words[b] or words[a] == words[b] and a < b end)
show("words", #names, names[1], words[names[1]], (text:gsub("%a(%a)%d+", "%1")):sub(1, 60), select(2, text:gsub("[aeiou]%d", "")))
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
show("recursion", fib(27))
local function producer(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i * 3) end end) end
local sum = 0
for v in producer(100000) do sum = sum + v end
show("coroutines", sum)
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y - b.y }, Point) end
local p = setmetatable({ x = 0, y = 0 }, Point)
for i = 1, 300000 do p = p + setmetatable({ x = i % 10, y = i % 3 }, Point) end
show("objects", p.x, p.y)
ffi.cdef "typedef struct { int32_t a; double b; uint8_t c[3]; int64_t d; } record;"
local records = ffi.new("record[100]")
for i = 0, 999999 do
    local r = records[i % 100]
    r.a = r.a + i; r.b = r.b * 0.5 + i; r.c[i % 3] = i; r.d = r.d * 3 + i
end
show("records", records[7].a, string.format("%.14g", records[7].b), records[99].c[1], tostring(records[50].d))
local errors = 0
for i = 1, 20000 do if not pcall(function() if i % 3 == 0 then error("no") end return i end) then errors = errors + 1 end end
show("errors", errors)
local function closure(n) return function(m) n = n + m; return n end end
local c = closure(1)
for i = 1, 500000 do c(i % 5) end
show("closures", c(0))
show("numbers", 2 ^ 53, 1e15, 1 / 3, -1 / 0, 0x7fffffff + 1, tostring(1e100), tonumber("0x1p4"), 5 % -3, -5 % 3, 5.5 % -2)
local f = assert(loadstring("local a = ... ; for i = 1, 100 do a = a * 3 % 1009 end return a"))
local g = 1
for i = 1, 3000 do g = f(g + i) end
show("loaded", g)
