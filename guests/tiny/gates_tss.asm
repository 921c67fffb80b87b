; Protected-mode control transfer: 32-bit and 16-bit call gates with parameters from ring 3 to ring 0, a far call to a TSS and
; IRET back through the link, a task gate in the IDT, a task jump, busy and NT bits, #GP from a gate that ring 3 may not use.
;
; guest: gates_tss
; load: 0x7c00
; serial: "gates\ntasks\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
SEL_UCODE equ 0x18 | 3
SEL_UDATA equ 0x20 | 3
SEL_TSS1  equ 0x28
SEL_TSS2  equ 0x30
SEL_GATE32 equ 0x38
SEL_GATE16 equ 0x40
SEL_GATE0 equ 0x48
STACK0    equ 0x7000
STACK3    equ 0x6000
STACK2    equ 0x5000
        START16
        ENTER32 gdtr, idtr
        mov     ax, SEL_TSS1
        ltr     ax
        push    dword SEL_UDATA
        push    dword STACK3
        push    dword 2
        push    dword SEL_UCODE
        push    dword ring3
        iretd

ring3:  mov     ax, SEL_UDATA
        mov     ds, ax
        mov     es, ax
        push    dword 0x11111111
        push    dword 0x22222222
        call    SEL_GATE32:0            ; the offset is ignored
        cmp     esp, STACK3             ; RETF 8 took the parameters off both stacks
        CHECK   e, 1
        cmp     eax, 0x33333333
        CHECK   e, 2
        push    word 0x1111
        push    word 0x4444
        call    SEL_GATE16:0
        cmp     esp, STACK3
        CHECK   e, 3
        cmp     ax, 0x5555
        CHECK   e, 4
        mov     dword [resume], .denied
        call    SEL_GATE0:0             ; DPL 0: #GP(selector)
.denied:
        cmp     dword [last_error], SEL_GATE0
        CHECK   e, 5
        int     0x40                    ; back to ring 0 for good

; Two dword parameters above the return address.
gate32: mov     ax, cs
        test    al, 3
        CHECK   z, 0x10
        mov     eax, [esp + 8]
        add     eax, [esp + 12]
        mov     ecx, [esp + 20]
        cmp     cx, SEL_UDATA           ; the outer stack above them
        CHECK   e, 0x11
        cmp     dword [esp + 16], STACK3 - 8
        CHECK   e, 0x12
        retf    8

; The same with words: a 16-bit gate pushes IP, CS, the word parameters, SP, SS.
gate16: mov     ax, [esp + 4]
        add     ax, [esp + 6]
        o16 retf 4

ring0:  mov     esp, STACK0
        mov     ax, 0x10
        mov     ds, ax
        mov     es, ax
        PRINT32 text_gates

        ; A far call to a task: NT set there, the link back in its TSS, our TSS still busy.
        mov     ebx, 0x1234
        call    SEL_TSS2:0
        cmp     ebx, 0x1234             ; each task has its own registers
        CHECK   e, 0x20
        cmp     dword [ticks], 1
        CHECK   e, 0x21
        mov     al, [gdt + SEL_TSS2 + 5]
        cmp     al, 0x89                ; available again after the return
        CHECK   e, 0x22
        mov     al, [gdt + SEL_TSS1 + 5]
        cmp     al, 0x8b
        CHECK   e, 0x23
        pushfd
        pop     eax
        test    ah, 0x40
        CHECK   z, 0x24

        ; The same task by a task gate: it goes on behind its IRET.
        int     0x41
        cmp     dword [ticks], 2
        CHECK   e, 0x25
        str     ax
        cmp     ax, SEL_TSS1
        CHECK   e, 0x26
        mov     eax, cr0
        test    al, 8                   ; TS
        CHECK   nz, 0x27

        ; A jump does not nest.
        jmp     SEL_TSS2:0
tasks_done:
        PRINT32 text_tasks
        END     PASS

task2:  inc     dword [ticks]
        pushfd
        pop     eax
        test    ah, 0x40                ; NT
        CHECK   nz, 0x30
        cmp     word [tss2], SEL_TSS1   ; link
        CHECK   e, 0x31
        mov     al, [gdt + SEL_TSS2 + 5]
        cmp     al, 0x8b
        CHECK   e, 0x32
        mov     ebx, 0x9999
        iretd
        inc     dword [ticks]           ; entered again, by the task gate
        cmp     ebx, 0x9999
        CHECK   e, 0x33
        iretd
        pushfd                          ; entered by the jump: not nested
        pop     eax
        test    ah, 0x40
        CHECK   z, 0x34
        mov     al, [gdt + SEL_TSS1 + 5]
        cmp     al, 0x89                ; the one left is no longer busy
        CHECK   e, 0x35
        jmp     tasks_done

gp:     pop     dword [ss:last_error]
        push    eax
        mov     eax, [ss:resume]
        mov     [esp + 4], eax
        pop     eax
        iretd
        LIB32
text_gates: db  "gates", 10, 0
text_tasks: db  "tasks", 10, 0
        align 4
resume: dd      0
last_error: dd  0
ticks:  dd      0
        align 8
gdt:    dq      0, CODE32, DATA32, UCODE32, UDATA32
        TSS_DESCRIPTOR tss1
        TSS_DESCRIPTOR tss2
        dw      ADDR(gate32) & 0xffff, 0x08, 0xec02, 0  ; 32-bit call gate, DPL 3, two dwords
        dw      ADDR(gate16) & 0xffff, 0x08, 0xe402, 0  ; 16-bit call gate, DPL 3, two words
        dw      ADDR(gate32) & 0xffff, 0x08, 0x8c02, 0  ; DPL 0
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
        align 8
idt:    times 13 dq 0
        GATE    gp, 0x08, 0x8e00
        times 0x40 - 14 dq 0
        GATE    ring0, 0x08, 0xee00
        dw      0, SEL_TSS2, 0x8500, 0  ; task gate
idtr:   dw      idtr - idt - 1
        dd      idt
        align 4
tss1:   dd      0, STACK0, 0x10
        times 22 dd 0
        dd      104 << 16
tss2:   dd      0
        times 7 dd 0
        dd      task2, 2                ; EIP, EFLAGS
        dd      0, 0, 0, 0, STACK2, 0, 0, 0
        dd      0x10, 0x08, 0x10, 0x10, 0, 0, 0         ; ES CS SS DS FS GS LDT
        dd      104 << 16
