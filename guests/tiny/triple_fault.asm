; An exception with an empty interrupt table: the CPU shuts down, which resets a PC (or ends it with -no-reboot).
;
; guest: triple_fault
; load: 0x7c00
; serial: "before\n"
; exit: triple-fault
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        PRINT16 text
        lidt    [empty]
        ud2
        END     FAILURE
        LIB16
text:   db      "before", 10, 0
empty:  dw      0
        dd      0
