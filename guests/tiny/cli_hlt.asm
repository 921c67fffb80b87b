; HLT with interrupts off: nothing but an NMI or a reset can end it.
;
; guest: cli_hlt
; load: 0x7c00
; serial: "halting\n"
; exit: halt
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        PRINT16 text
        cli
        hlt
        END     FAILURE
        LIB16
text:   db      "halting", 10, 0
