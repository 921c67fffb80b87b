; Single step by TF, breakpoints and a watchpoint by debug registers, in real mode. DR6 says which it was (SDM vol. 3, 18.2).
;
; guest: debug
; load: 0x7c00
; serial: "step\nbreakpoint\nwatchpoint\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        mov     word [4], trap
        mov     word [6], 0

        ; TF: the instruction that sets it does not trap, each one after it does, the one that clears it too.
        call    clear
        pushf
        pop     ax
        mov     bx, ax
        or      ah, 1
        push    ax
        popf
        nop
        nop
        push    bx
        popf
.stepped:
        nop
        cmp     word [count], 4
        CHECK   e, 1
        cmp     word [last_ip], .stepped
        CHECK   e, 2
        mov     eax, [last_dr6]
        and     eax, 0xe00f
        cmp     eax, 0x4000             ; BS
        CHECK   e, 3
        PRINT16 text_step

        ; Instruction breakpoint: a fault before the instruction.
        call    clear
        mov     eax, .target
        mov     dr0, eax
        mov     eax, 0x401              ; L0, execution
        mov     dr7, eax
        xor     cx, cx
        inc     cx
.target: inc    cx
        inc     cx
        cmp     cx, 3
        CHECK   e, 4
        cmp     word [count], 1
        CHECK   e, 5
        cmp     word [last_ip], .target
        CHECK   e, 6
        mov     eax, [last_dr6]
        and     eax, 0xe00f
        cmp     eax, 1                  ; B0
        CHECK   e, 7
        PRINT16 text_break

        ; Watchpoint on writes of a word: a trap after the write; reads do not count.
        call    clear
        mov     eax, watched
        mov     dr1, eax
        mov     eax, 0x500404           ; L1, write, 2 bytes
        mov     dr7, eax
        mov     ax, [watched]
        cmp     word [count], 0
        CHECK   e, 8
        mov     byte [watched + 1], 5
.wrote: nop
        cmp     word [count], 1
        CHECK   e, 9
        cmp     word [last_ip], .wrote
        CHECK   e, 10
        mov     eax, [last_dr6]
        and     eax, 0xe00f
        cmp     eax, 2                  ; B1
        CHECK   e, 11
        mov     byte [watched + 2], 5   ; just beyond
        cmp     word [count], 1
        CHECK   e, 12
        PRINT16 text_watch
        END     PASS

clear:  xor     eax, eax
        mov     dr7, eax
        mov     dr6, eax
        mov     [count], ax
        ret

; Notes how often, where and why. An execution breakpoint is switched off: real-mode IRET has no RF in a 16-bit frame.
trap:   push    bp
        mov     bp, sp
        push    eax
        inc     word [count]
        mov     ax, [bp + 2]
        mov     [last_ip], ax
        mov     eax, dr6
        mov     [last_dr6], eax
        test    al, 1
        jz      .keep
        xor     eax, eax
        mov     dr7, eax
.keep:  xor     eax, eax
        mov     dr6, eax
        pop     eax
        pop     bp
        iret
        LIB16
count:  dw      0
last_ip: dw     0
last_dr6: dd    0
        align 4
watched: dd     0
text_step: db   "step", 10, 0
text_break: db  "breakpoint", 10, 0
text_watch: db  "watchpoint", 10, 0
