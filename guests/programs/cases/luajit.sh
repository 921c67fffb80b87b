# cpu: max qemu64
# LuaJIT: code that is written while it runs; the same with its compiler off.
for mode in -jon -joff; do
    luajit $mode /cases/lua/work.lua
done
