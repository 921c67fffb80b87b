; 32-bit paging: 4 KiB and 4 MiB pages, #PF error codes and CR2, accessed and dirty bits, WP, INVLPG.
;
; guest: paging32
; load: 0x7c00
; memory: 16M
; serial: "paging\n"
; exit: 33
; qemu: F0C, exit 35: its tcg reads first, so that a read-modify-write faults as a read
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
DIRECTORY equ 0x20000
TABLE   equ 0x21000
FRAME1  equ 0x30000
FRAME2  equ 0x31000
PAGE    equ 0x400000                    ; linear, by TABLE
A       equ 0x20
D       equ 0x40
        START16
        ENTER32 gdtr, idtr
        mov     edi, DIRECTORY
        xor     eax, eax
        mov     ecx, 0x800
        rep     stosd
        mov     dword [DIRECTORY], 0x83 ; 4 MiB as they are
        mov     dword [DIRECTORY + 4], TABLE | 3
        mov     dword [TABLE], FRAME1 | 3
        mov     dword [TABLE + 4], FRAME1 | 1
        mov     dword [FRAME1], 0x11111111
        mov     dword [FRAME2], 0x22222222
        mov     eax, cr4
        or      al, 0x10                ; PSE
        mov     cr4, eax
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80010000         ; PG, WP
        mov     cr0, eax
        jmp     short .on
.on:    mov     al, [TABLE]
        test    al, A | D
        CHECK   z, 1
        cmp     dword [PAGE], 0x11111111
        CHECK   e, 2
        mov     al, [TABLE]
        and     al, A | D
        cmp     al, A
        CHECK   e, 3
        test    byte [DIRECTORY + 4], A
        CHECK   nz, 4
        mov     dword [PAGE + 4], 1
        mov     al, [TABLE]
        and     al, A | D
        cmp     al, A | D
        CHECK   e, 5
        mov     dword [faults], 0       ; this image lies in the large page
        test    byte [DIRECTORY], D
        CHECK   nz, 6

        ; A dirty bit that is cleared is set again once the TLB has forgotten the page.
        and     byte [TABLE], ~D
        invlpg  [PAGE]
        mov     dword [PAGE + 4], 2
        test    byte [TABLE], D
        CHECK   nz, 7

        ; INVLPG and a new frame.
        mov     dword [TABLE], FRAME2 | 3
        invlpg  [PAGE]
        cmp     dword [PAGE], 0x22222222
        CHECK   e, 8

        mov     dword [resume], .absent
        mov     eax, [PAGE + 0x2ffe]    ; begins at the end of one absent page: CR2 is its own address
.absent: cmp    dword [last_cr2], PAGE + 0x2ffe
        CHECK   e, 9
        cmp     dword [last_error], 0
        CHECK   e, 10
        mov     dword [resume], .write
        inc     dword [PAGE + 0x3010]
.write: cmp     dword [last_cr2], PAGE + 0x3010
        CHECK   e, 11
        cmp     dword [last_error], 2   ; a read-modify-write faults as a write
        CHECK   e, 12

        ; A write that begins on a good page and ends on an absent one: the address of the second, nothing written.
        mov     dword [TABLE + 8], FRAME1 | 3
        mov     dword [PAGE + 0x2ffc], 0x33333333
        mov     dword [resume], .split
        mov     dword [PAGE + 0x2ffe], 0x44444444
.split: cmp     dword [last_cr2], PAGE + 0x3000
        CHECK   e, 13
        cmp     dword [PAGE + 0x2ffc], 0x33333333
        CHECK   e, 14

        ; Read-only: with WP a fault for ring 0 too, without it not.
        mov     dword [resume], .readonly
        mov     dword [PAGE + 0x1008], 5
.readonly:
        cmp     dword [last_error], 3
        CHECK   e, 15
        mov     eax, cr0
        and     eax, 0xfffeffff
        mov     cr0, eax
        mov     dword [PAGE + 0x1008], 5
        cmp     dword [FRAME1 + 8], 5
        CHECK   e, 16
        test    byte [TABLE + 4], D
        CHECK   nz, 17
        cmp     dword [faults], 4
        CHECK   e, 18
        mov     esi, text
        call    puts32
        END     PASS

pf:     pop     dword [last_error]
        push    eax
        mov     eax, cr2
        mov     [last_cr2], eax
        mov     eax, [resume]
        mov     [esp + 4], eax
        inc     dword [faults]
        pop     eax
        iretd
        LIB32
text:   db      "paging", 10, 0
        align 4
resume: dd      0
last_error: dd  0
last_cr2: dd    0
faults: dd      0
        align 8
gdt:    dq      0, CODE32, DATA32
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
        align 8
idt:    times 14 dq 0
        GATE    pf, 0x08, 0x8e00
idtr:   dw      idtr - idt - 1
        dd      idt
