; Segment checks of every access in protected mode: limits up and down, read-only and execute-only segments, a null selector,
; #SS for the stack, and the descriptor that is not present. (SDM vol. 3, 5.3 to 5.5)
;
; guest: segment_limits
; load: 0x7c00
; serial: "limits\n"
; exit: 33
; qemu: F01, exit 35: its tcg checks neither limits nor segment types
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
SEL_SMALL equ 0x18                      ; base 60000h, limit FFh
SEL_DOWN  equ 0x20                      ; expand-down, valid above FFh
SEL_RO    equ 0x28
SEL_XO    equ 0x30
SEL_ABSENT equ 0x38

; FAULTS vector, error code, number, instruction
%macro FAULTS 4+
        mov     dword [resume], %%after
        mov     dword [last_vector], -1
        %4
%%after: cmp    dword [last_vector], %1
        CHECK   e, %3
        cmp     dword [last_error], %2
        CHECK   e, %3
%endmacro
        START16
        ENTER32 gdtr, idtr
        mov     ax, SEL_SMALL
        mov     fs, ax
        mov     eax, [fs:0xfc]
        FAULTS  13, 0, 0x01, mov eax, [fs:0xfd]
        FAULTS  13, 0, 0x02, mov byte [fs:0x100], 1
        mov     al, [fs:0xff]
        mov     ax, SEL_DOWN
        mov     fs, ax
        mov     eax, [fs:0x100]
        FAULTS  13, 0, 0x03, mov eax, [fs:0xff]
        FAULTS  13, 0, 0x04, mov eax, [fs:0]
        mov     ax, SEL_RO
        mov     fs, ax
        mov     eax, [fs:0]
        FAULTS  13, 0, 0x05, mov [fs:0], eax
        FAULTS  13, 0, 0x06, inc dword [fs:0]
        FAULTS  13, 0, 0x07, mov byte [cs:0x600], 1
        mov     ax, SEL_XO
        FAULTS  13, SEL_XO, 0x08, mov fs, ax
        xor     eax, eax
        mov     fs, ax
        FAULTS  13, 0, 0x09, mov eax, [fs:0]
        FAULTS  13, 0, 0x0a, mov ss, ax
        mov     ax, SEL_ABSENT
        FAULTS  11, SEL_ABSENT, 0x0b, mov fs, ax
        FAULTS  12, SEL_ABSENT, 0x0c, mov ss, ax
        mov     ax, SEL_RO
        FAULTS  13, SEL_RO, 0x0d, mov ss, ax

        ; REP stops at the limit with the registers at the element that faulted.
        mov     ax, SEL_SMALL
        mov     es, ax
        mov     edi, 0xf8
        mov     ecx, 4
        FAULTS  13, 0, 0x10, rep stosd
        cmp     edi, 0x100
        CHECK   e, 0x11
        cmp     ecx, 2
        CHECK   e, 0x12
        mov     ax, 0x10
        mov     es, ax
        PRINT32 text
        END     PASS

np:     mov     dword [last_vector], 11
        jmp     note
stack:  mov     dword [last_vector], 12
        jmp     note
gp:     mov     dword [last_vector], 13
note:   pop     dword [last_error]
        push    eax
        mov     eax, [resume]
        mov     [esp + 4], eax
        pop     eax
        iretd
        LIB32
text:   db      "limits", 10, 0
        align 4
resume: dd      0
last_vector: dd 0
last_error: dd  0
        align 8
gdt:    dq      0, CODE32, DATA32
        dq      0x00409306000000ff      ; small
        dq      0x00409706000000ff      ; expand-down
        dq      0x004091060000ffff      ; read-only
        dq      0x004099060000ffff      ; execute-only
        dq      0x004013060000ffff      ; not present
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
        align 8
idt:    times 11 dq 0
        GATE    np, 0x08, 0x8e00
        GATE    stack, 0x08, 0x8e00
        GATE    gp, 0x08, 0x8e00
idtr:   dw      idtr - idt - 1
        dd      idt
