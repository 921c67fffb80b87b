#!/bin/sh
# Real programs, natively and in a Debian guest of emu: output and exit status must be the same; --help lists the options.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
exec dotnet run -c Release --project "$here/../../bench/Emu.Compare" -- programs "$@"
