; Virtual-8086 mode: in by IRET, segments as in real mode, INT and CLI with IOPL 0 end in #GP at the monitor, which emulates
; an INT through the real-mode table and at last leaves the mode.
;
; guest: v86
; load: 0x7c00
; serial: "in v86\nint 60h in v86\nback\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
SEL_TSS equ 0x18
STACK0  equ 0x7000
VM      equ 0x20000
        START16
        mov     word [0x60 * 4], int60
        mov     word [0x60 * 4 + 2], 0
        ENTER32 gdtr, idtr
        mov     ax, SEL_TSS
        ltr     ax
        push    dword 0                 ; GS FS DS ES
        push    dword 0
        push    dword 0
        push    dword 0
        push    dword 0                 ; SS:ESP
        push    dword 0x6000
        push    dword VM | 2
        push    dword 0                 ; CS:EIP
        push    dword v86
        iretd

        bits 16
%define FAIL fail16
v86:    PRINT16 text_in
        mov     ax, 0x1000
        mov     es, ax
        mov     byte [es:0], 0x77
        mov     ax, 0x0fff
        mov     fs, ax
        cmp     byte [fs:0x10], 0x77
        CHECK   e, 1
        mov     ax, cs
        test    ax, ax
        CHECK   z, 2
        smsw    ax                      ; allowed, and shows PE
        test    al, 1
        CHECK   nz, 3
.int:   int     0x60
        cmp     bx, 0x6060
        CHECK   e, 4
        cmp     word [faults], 2        ; INT and IRET both went by the monitor
        CHECK   e, 5
.cli:   cli                             ; the third fault: the monitor ends the mode
        END     FAILURE

; The "BIOS" routine.
int60:  mov     bx, 0x6060
        PRINT16 text_int
        iret
        LIB16

        bits 32
%define FAIL fail32
; #GP from virtual-8086 mode. Frame: error, EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS; the segments are zero now.
gp:     push    eax
        push    ebx
        push    esi
        mov     eax, ds                 ; the CPU cleared the data segments on the way in
        test    eax, eax
        CHECK   z, 0x0f
        mov     ax, 0x10
        mov     ds, ax
        inc     word [faults]
        test    dword [esp + 24], VM
        CHECK   nz, 0x10
        cmp     dword [esp + 12], 0
        CHECK   e, 0x11
        mov     esi, [esp + 16]         ; CS is 0: EIP is linear
        mov     al, [esi]
        cmp     al, 0xcd
        je      .int
        cmp     al, 0xcf
        je      .iret
        cmp     al, 0xfa
        CHECK   e, 0x12
        cmp     word [faults], 3
        CHECK   e, 0x13
        mov     ax, 0x10
        mov     es, ax
        mov     ss, ax
        mov     esp, STACK0
        pushfd
        pop     eax
        test    eax, VM
        CHECK   z, 0x14
        PRINT32 text_back
        END     PASS
; INT n: push FLAGS, CS, IP on the 8086's stack and go to its vector.
.int:   movzx   ebx, byte [esi + 1]
        sub     word [esp + 28], 6
        movzx   esi, word [esp + 28]
        mov     ax, [esp + 24]
        mov     [esi + 4], ax
        mov     ax, [esp + 20]
        mov     [esi + 2], ax
        mov     ax, [esp + 16]
        add     ax, 2
        mov     [esi], ax
        movzx   eax, word [ebx * 4]
        mov     [esp + 16], eax
        jmp     .return
.iret:  movzx   esi, word [esp + 28]
        movzx   eax, word [esi]
        mov     [esp + 16], eax
        add     word [esp + 28], 6
.return: pop    esi
        pop     ebx
        pop     eax
        add     esp, 4
        iretd
        LIB32
text_in: db     "in v86", 10, 0
text_int: db    "int 60h in v86", 10, 0
text_back: db   "back", 10, 0
faults: dw      0
        align 8
gdt:    dq      0, CODE32, DATA32
        dw      tss_end - tss - 1, ADDR(tss)    ; 32-bit TSS with its I/O map
        db      0, 0x89, 0, 0
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
        align 8
idt:    times 13 dq 0
        GATE    gp, 0x08, 0x8e00
idtr:   dw      idtr - idt - 1
        dd      idt
        align 4
; The I/O map lets all ports up to 3FFh through.
tss:    dd      0, STACK0, 0x10
        times 22 dd 0
        dd      104 << 16
        times 0x80 db 0
        db      0xff
tss_end:
