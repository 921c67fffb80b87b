; The smallest guest: adds two registers, prints the digit and a newline on COM1, halts. One page is enough for it.
;
; guest: tiny_kernel
; load: 0x1000
; memory: 8K
; set: rax=2 rbx=2
; bytes: ba f8 03 00 d8 04 30 ee b0 0a ee f4
; serial: "4\n"
; exit: halt
;
; From the command line all registers start as zero, and it prints 0:
;     emu -m 8K -nographic -device loader,file=tiny_kernel.bin,addr=0x1000,cpu-num=0
        cpu 8086
        bits 16
        org 0x1000
        mov     dx, 0x3f8
        db      0x00, 0xd8              ; add al, bl
        add     al, '0'
        out     dx, al
        mov     al, 10
        out     dx, al
        hlt
