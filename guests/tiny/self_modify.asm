; Code that changes itself: the instruction just ahead, an instruction of a hot loop, a routine called before, by a string
; store, and through another linear address of the same byte. CPUs since the P6 see all of it at once (SDM vol. 3, 9.1.3).
;
; guest: self_modify
; load: 0x7c00
; serial: "done\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        ; The next instruction.
        mov     byte [.next + 1], 7
.next:  mov     al, 1
        cmp     al, 7
        CHECK   e, 1

        ; A loop that counts its own immediate up: 0 + 1 + ... + 199.
        xor     ax, ax
        mov     cx, 200
.loop:  add     ax, strict word 0
        inc     word [.loop + 1]
        loop    .loop
        cmp     ax, 19900
        CHECK   e, 2

        ; A routine that ran before.
        call    routine
        cmp     al, 1
        CHECK   e, 3
        mov     di, routine + 1
        mov     al, 2
        stosb
        call    routine
        cmp     al, 2
        CHECK   e, 4

        ; A REP store over code on the way to it: NOPs over INC AX.
        xor     ax, ax
        push    ax
        mov     di, .holes
        mov     al, 0x90
        mov     cx, 4
        rep     stosb
        pop     ax
.holes: inc     ax
        inc     ax
        inc     ax
        inc     ax
        test    ax, ax
        CHECK   z, 5

        ; The same byte by another segment.
        mov     ax, 0x0700
        mov     fs, ax
        mov     byte [fs:routine + 1 - 0x7000], 3
        call    routine
        cmp     al, 3
        CHECK   e, 6

        ; Changed code that was copied elsewhere and run there.
        mov     si, routine
        mov     di, 0x9000
        mov     cx, 3
        rep     movsb
        mov     ax, 0x9000
        call    ax
        cmp     al, 3
        CHECK   e, 7
        mov     byte [0x9001], 4
        mov     ax, 0x9000
        call    ax
        cmp     al, 4
        CHECK   e, 8
        PRINT16 text
        END     PASS
routine: mov    al, 1
        ret
        LIB16
text:   db      "done", 10, 0
