; Random bytes run as code. Nothing is expected but that the emulator survives: any end is right, going on for ever too.
;
; guest: garbage
; load: 0x7c00
; exit: any
        cpu x64
        bits 16
        org 0x7c00
; A linear congruential generator gives the same bytes on every build.
%assign seed 12345
%rep 4096
  %assign seed (seed * 1103515245 + 12345) & 0x7fffffff
        db      (seed >> 16) & 0xff
%endrep
