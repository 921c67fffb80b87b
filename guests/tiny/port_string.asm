; OUTSB and INSB with REP, upwards and downwards, and what they leave in the registers.
;
; guest: port_string
; load: 0x7c00
; serial: "forward\nbackward\nscratch: zzzz\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        mov     dx, COM1
        mov     si, forward
        mov     cx, 8
        rep     outsb
        cmp     si, forward + 8
        CHECK   e, 1
        test    cx, cx
        CHECK   z, 2

        std
        mov     si, backward + 8
        mov     cx, 9
        rep     outsb
        cld
        cmp     si, backward - 1
        CHECK   e, 3

        ; The scratch register of the UART gives back what it was given.
        mov     dx, COM1 + 7
        mov     al, 'z'
        out     dx, al
        mov     di, input
        mov     cx, 4
        rep     insb
        cmp     di, input + 4
        CHECK   e, 4
        PRINT16 scratch

        ; CX = 0: nothing moves.
        mov     di, input
        xor     cx, cx
        rep     insb
        cmp     di, input
        CHECK   e, 5
        END     PASS
        LIB16
forward: db     "forward", 10
backward: db    10, "drawkcab"
scratch: db     "scratch: "
input:  db      "....", 10, 0
