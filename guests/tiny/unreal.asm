; Unreal mode: a segment limit of 4 GiB loaded in protected mode stays when the CPU goes back to real mode.
;
; guest: unreal
; load: 0x7c00
; memory: 16M
; serial: "unreal\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
        START16
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     .flush                  ; still the real-mode CS, which is a valid 16-bit segment
.flush: mov     bx, 8
        mov     fs, bx
        and     al, 0xfe
        mov     cr0, eax
        jmp     0:.real
.real:  mov     edi, 0x200010
        mov     dword [fs:edi], 0x12345678
        cmp     dword [fs:dword 0x200010], 0x12345678
        CHECK   e, 1
        mov     ax, fs                  ; the selector is what was loaded, base and limit too
        cmp     ax, 8
        CHECK   e, 2
        mov     ax, 0x1000              ; a real-mode load sets the base and keeps the limit
        mov     fs, ax
        cmp     dword [fs:dword 0x1f0010], 0x12345678
        CHECK   e, 3
        smsw    ax
        test    al, 1
        CHECK   z, 4
        PRINT16 text
        END     PASS
        LIB16
text:   db      "unreal", 10, 0
        align 8
gdt:    dq      0, DATA32
gdtr:   dw      15
        dd      gdt
