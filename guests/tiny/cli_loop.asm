; An endless loop with interrupts off: the emulator must still react to its user.
;
; guest: cli_loop
; load: 0x7c00
; serial: "looping\n"
; exit: hang
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        PRINT16 text
        cli
        jmp     $
        LIB16
text:   db      "looping", 10, 0
