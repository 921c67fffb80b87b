; The built-in guest: what `./emu` runs when it is given nothing to run.
;
; guest: builtin
; load: 0x7c00
; memory: 16M
; exit: 33
; serial-has: "real mode: interrupt table, segments, strings\n"
; serial-has: "protected mode: segment base, GDT limit\n"
; serial-has: "long mode: 2 MiB and 4 KiB pages, accessed and dirty bits\n"
; serial-has: "timer: 10 interrupts\n"
; serial-has: "ring 3 by SYSCALL\n"
; serial-has: "ring 3 by INT 80h\n"
; serial-has: "exceptions: 11 as expected\n"
; serial-has: "mandelbrot: crc32 2ebc08d6\n"
; serial-has: "PASS 23 checks\n"
;
; It walks from real mode through protected mode to long mode, with paging, an IDT, timer interrupts of the 8254 through
; the 8259, ring 3 and back by SYSCALL and by INT 80h, faults whose error code and CR2 are checked, and an SSE2 picture
; whose iteration counts are summed by CRC-32. Every expected value stands in this file. Built by
;     nasm -f bin -o builtin.bin builtin.asm
;
; Start: real mode, CS = DS = ES = SS = 0, IP = 0x7c00, chips as after reset, RAM zero. End: a dword write to port F4h
; (isa-debug-exit: 10h passed, 11h failed), then HLT with interrupts off. Without that device the HLT is the end.
;
; Final RAM and registers are the same on every right machine. Nothing in RAM depends on time: the timer interrupts only
; at HLT, so the frames on the stack are always the same; accessed bits that a CPU may set ahead of need are set from
; the start. Not part of the comparison: the TSC, the chips, and RIP between the OUT and the HLT (an accelerator may report
; the exit on either side of the OUT).

        cpu x64
        org 0x7c00

COM1            equ 0x3f8
EXIT_PORT       equ 0xf4
LAPIC           equ 0xfee00000
EXIT_PASS       equ 0x10
EXIT_FAIL       equ 0x11
EXPECT_CRC      equ 0x2ebc08d6
EXPECT_TICKS    equ 10
EXPECT_CHECKS   equ 23

; Result block, one page below the image.
RESULT          equ 0x600               ; dd magic 'EMUR'
R_CHECKS        equ RESULT + 4          ; dd checks passed
R_TICKS         equ RESULT + 8          ; dd timer interrupts
R_CRC           equ RESULT + 12         ; dd CRC-32 of the iteration counts
R_STATUS        equ RESULT + 16         ; dd 1 passed, 2 failed
R_FAILED        equ RESULT + 20         ; dd number of the check that failed
R_EXC_COUNT     equ RESULT + 24         ; dd exceptions logged
R_INT40         equ RESULT + 28         ; dd real-mode interrupts taken
R_RESUME        equ RESULT + 32         ; dq where the next exception goes on
R_USER_RSP      equ RESULT + 40         ; dq user stack pointer during SYSCALL
R_USER_SUM      equ RESULT + 48         ; dq computed in ring 3
R_KERNEL_RSP    equ RESULT + 56         ; dq kernel stack pointer while in ring 3
R_EXC_LOG       equ RESULT + 64         ; records of 24 bytes: dd vector, dd error code, dq CR2 (#PF) or 0, dq RIP
R_PART          equ RESULT + 0x5f8      ; dd the part in progress, 0 between parts
R_SKIPPED       equ RESULT + 0x5fc      ; dd checks of the parts left out
RESULT_SIZE     equ 0x600

; Parts that can be left out, by their bit in the header's mask, for accelerators that cannot run them.
PART_INT        equ 1
PART_LSL        equ 2
PART_GDT_LIMIT  equ 3
PART_DIRTY      equ 4
PART_FAULTS     equ 5
PART_TIMER      equ 6
PART_RING3      equ 7
PART_SSE        equ 8
PARTS           equ 8

; Memory beyond the image.
PML4            equ 0x20000
PDPT            equ 0x21000
PD_LOW          equ 0x22000
PD_USER         equ 0x23000
PT_USER         equ 0x24000
IDT64           equ 0x28000
TSS64           equ 0x29000
STACK_MAIN      equ 0x34000
STACK_RSP0      equ 0x36000
STACK_SYSCALL   equ 0x38000
STACK_IST1      equ 0x3c000
USER_CODE_PHYS  equ 0x50000
USER_STACK_PHYS equ 0x51000
PROBE_PHYS      equ 0x52000
COUNTS          equ 0x54000
WINDOW          equ 0x60000

; Linear addresses of the 4 KiB pages at 1 GiB.
USER_CODE       equ 0x40000000
USER_STACK_TOP  equ 0x40002000
PROBE           equ 0x40002000
ABSENT          equ 0x40003000
READ_ONLY       equ 0x40004000

PTE_P           equ 1
PTE_RW          equ 2
PTE_U           equ 4
PTE_A           equ 0x20
PTE_D           equ 0x40
PTE_PS          equ 0x80
PTE_NX_HIGH     equ 0x80000000          ; bit 63, in the high half

SEL_CODE64      equ 0x08
SEL_DATA        equ 0x10
SEL_USER_BASE   equ 0x18                ; SYSRET takes +8 for SS and +16 for CS
SEL_USER_DATA   equ 0x20
SEL_USER_CODE   equ 0x28
SEL_TSS         equ 0x30
SEL_CODE32      equ 0x40
SEL_WINDOW      equ 0x48

; CHECK condition, number: counts a check that holds; else reports the number and ends.
%macro CHECK 2
        j%1     %%ok
        mov     bl, %2
        jmp     FAIL
%%ok:   inc     dword [R_CHECKS]
%endmacro

; PART number, checks in it, label behind it: notes that it has begun, or goes by when it is to be left out.
%macro PART 3
        mov     dword [R_PART], %1
        test    dword [parts_to_skip], 1 << %1
        jz      %%run
        add     dword [R_SKIPPED], %2
        jmp     %3
%%run:
%endmacro

%macro PART_END 0
        mov     dword [R_PART], 0
%endmacro

; PUTC body for any mode: sends AL, keeps everything else. %1 = the wide names of rax and rdx.
%macro PUTC 2
        push    %2
        push    %1
        mov     dx, COM1 + 5
%%wait: in      al, dx
        test    al, 0x20
        jz      %%wait
        mov     dx, COM1
        pop     %1
        out     dx, al
        pop     %2
        ret
%endmacro

; Sends AL in hexadecimal by way of %1 (the putc of the mode).
%macro HEX8 1
        push    ax
        shr     al, 4
        call    %%digit
        pop     ax
        and     al, 15
%%digit: add    al, '0'
        cmp     al, '9'
        jbe     %1
        add     al, 'a' - '0' - 10
        jmp     %1
%endmacro

; The end after a failed check, number in BL. %1 = putc, %2 = puts, %3 = pointer register, %4 = hex8 of the mode.
%macro FAILED 4
        mov     [R_FAILED], bl
        mov     dword [R_STATUS], 2
        mov     %3, text_fail
        call    %2
        mov     al, bl
        call    %4
        mov     al, 10
        call    %1
        mov     eax, EXIT_FAIL
        mov     dx, EXIT_PORT
        out     dx, eax
%%halt: cli
        hlt
        jmp     %%halt
%endmacro

        bits 16
image:  jmp     near start
        nop
        ; For tools: magic, load address, result block and its size, number of ranges (start, length) to leave out of comparisons.
        db      "EMUGUEST"
        dd      image, RESULT, RESULT_SIZE, 0
        ; Then: address of the part in progress, mask of the parts to leave out (bit n for part n), number of parts, and
        ; their names from part 1 on.
        dd      R_PART
parts_to_skip:
        dd      0, PARTS
        db      "real-mode INT", 0, "LSL", 0, "GDT limit", 0, "accessed and dirty bits", 0, "exceptions", 0, "timer interrupts", 0
        db      "ring 3", 0, "SSE2", 0

; ---------------------------------------------------------------- real mode
%define FAIL fail16
start:  cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     dword [RESULT], 'EMUR'

        mov     si, uart_setup          ; 115200 8N1, FIFOs on, no interrupts
.uart:  lodsw
        xchg    ax, dx
        lodsb
        out     dx, al
        cmp     si, uart_setup_end
        jb      .uart

        ; A software interrupt through the interrupt table at 0.
        PART    PART_INT, 2, ..@no_int
        mov     word [0x40 * 4], int40
        mov     word [0x40 * 4 + 2], 0
        stc
        int     0x40
        CHECK   nc, 1                   ; the handler cleared CF in the flags on the stack
        cmp     dword [R_INT40], 1
        CHECK   e, 2
..@no_int:
        PART_END

        ; The same byte through two segments, and an offset that wraps inside its segment.
        mov     ax, 0x1000
        mov     es, ax
        mov     byte [es:0x10], 0x5a
        mov     ax, 0x0fff
        mov     fs, ax
        cmp     byte [fs:0x20], 0x5a
        CHECK   e, 3
        mov     bx, 0xfff8
        mov     byte [es:bx + 0x10], 0xa5
        cmp     byte [es:8], 0xa5
        CHECK   e, 4

        ; Strings: fill, copy up over itself by bytes (the pattern spreads), scan.
        mov     ax, 0x6261
        mov     di, 0x100
        mov     cx, 4
        rep     stosw
        push    ds
        push    es
        pop     ds
        mov     si, 0x100
        mov     di, 0x101
        mov     cx, 7
        rep     movsb
        mov     di, 0x100
        mov     al, 'a'
        mov     cx, 20
        repe    scasb
        pop     ds
        cmp     cx, 20 - 9              ; eight equal, the ninth differs
        CHECK   e, 5

        mov     si, text_real
        call    puts16

        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     SEL_CODE32:pm

int40:  inc     dword [R_INT40]
        push    bp
        mov     bp, sp
        and     byte [bp + 6], 0xfe
        pop     bp
        iret

puts16: lodsb
        test    al, al
        jz      .done
        call    putc16
        jmp     puts16
.done:  ret
putc16: PUTC    ax, dx
hex16:  HEX8    putc16
fail16: FAILED  putc16, puts16, si, hex16

; ---------------------------------------------------------------- protected mode
        bits 32
%define FAIL fail32
pm:     mov     ax, SEL_DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, STACK_MAIN
        lidt    [idtr32]

        mov     ax, SEL_WINDOW          ; base 60000h, limit FFh
        mov     fs, ax
        mov     dword [fs:0x10], 0x12345678
        cmp     dword [WINDOW + 0x10], 0x12345678
        CHECK   e, 6
        PART    PART_LSL, 1, ..@no_lsl
        lsl     eax, [selector_window]
        cmp     eax, 0xff
        CHECK   e, 7
..@no_lsl:

        PART    PART_GDT_LIMIT, 1, ..@no_limit
        mov     ax, 0x2468              ; beyond the limit of the GDT
        mov     dword [R_RESUME], .limit
.gp:    mov     fs, ax
.limit:
        cmp     dword [R_RESUME], 0
        CHECK   e, 8
..@no_limit:
        PART_END

        xor     eax, eax
        mov     fs, ax
        mov     esi, text_protected
        call    puts32

        ; The local APIC as a wire from the 8259 to the CPU: enabled, LINT0 = ExtINT.
        mov     dword [LAPIC + 0xf0], 0x1ff
        mov     dword [LAPIC + 0x350], 0x700
        cmp     dword [LAPIC + 0x350], 0x700
        CHECK   e, 9

        ; Page tables: 16 MiB as they are in 2 MiB pages, and one table of 4 KiB pages at 1 GiB.
        mov     edi, PML4
        xor     eax, eax
        mov     ecx, (PT_USER + 0x1000 - PML4) / 4
        rep     stosd
        mov     dword [PML4], PDPT | PTE_P | PTE_RW | PTE_U | PTE_A
        mov     dword [PDPT], PD_LOW | PTE_P | PTE_RW | PTE_U | PTE_A
        mov     dword [PDPT + 8], PD_USER | PTE_P | PTE_RW | PTE_U | PTE_A
        mov     dword [PD_USER], PT_USER | PTE_P | PTE_RW | PTE_U | PTE_A
        mov     edi, PD_LOW
        mov     eax, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PS
.large: mov     [edi], eax
        add     eax, 0x200000
        add     edi, 8
        cmp     edi, PD_LOW + 8 * 8
        jb      .large
        mov     esi, small_pages
        mov     edi, PT_USER
        mov     ecx, (small_pages_end - small_pages) / 4
        rep     movsd
        mov     esi, user_image
        mov     edi, USER_CODE_PHYS
        mov     ecx, user_image_end - user_image
        rep     movsb

        mov     eax, 0x620              ; PAE, OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, 0xc0000080         ; EFER: SCE, LME, NXE
        mov     eax, 0x901
        xor     edx, edx
        wrmsr
        mov     eax, 0x80010033         ; PG, WP, NE, ET, MP, PE
        mov     cr0, eax
        jmp     SEL_CODE64:lm

gp32:   push    eax
        mov     eax, [esp + 4]
        mov     [R_EXC_LOG + 4], eax
        mov     dword [R_EXC_LOG], 13
        mov     eax, [esp + 8]
        mov     [R_EXC_LOG + 16], eax
        inc     dword [R_EXC_COUNT]
        mov     eax, [R_RESUME]
        mov     [esp + 8], eax
        mov     dword [R_RESUME], 0
        pop     eax
        add     esp, 4
        iretd

puts32: lodsb
        test    al, al
        jz      .done
        call    putc32
        jmp     puts32
.done:  ret
putc32: PUTC    eax, edx
hex32:  HEX8    putc32
fail32: FAILED  putc32, puts32, esi, hex32

; ---------------------------------------------------------------- long mode
        bits 64
%define FAIL fail64

; FAULT label: the next exception logged goes on there.
%macro FAULT 1
        mov     qword [R_RESUME], %1
%endmacro

lm:     mov     ax, SEL_DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        xor     eax, eax
        mov     fs, ax
        mov     gs, ax
        mov     rsp, STACK_MAIN

        ; IDT: 32 exceptions, the timer at 20h, INT 80h open to ring 3; #GP on a stack of its own (IST1).
        mov     rdi, IDT64
        mov     rsi, exception_stubs
        mov     ecx, 32
.gate:  mov     rax, rsi
        mov     edx, 0x8e00
        call    set_gate
        add     rsi, 16
        dec     ecx
        jnz     .gate
        mov     byte [IDT64 + 13 * 16 + 4], 1
        mov     rax, timer
        call    set_gate
        mov     rdi, IDT64 + 0x80 * 16
        mov     rax, int80
        mov     edx, 0xee00
        call    set_gate
        lidt    [idtr64]

        mov     dword [TSS64 + 4], STACK_RSP0
        mov     dword [TSS64 + 36], STACK_IST1
        mov     word [TSS64 + 102], 104
        mov     ax, SEL_TSS
        ltr     ax

        ; Accessed and dirty bits of the probe page: clear, read, write.
        PART    PART_DIRTY, 5, ..@no_dirty
        mov     rbx, PT_USER + 2 * 8
        test    byte [rbx], PTE_A | PTE_D
        CHECK   z, 0x10
        mov     al, [abs PROBE]
        mov     al, [rbx]
        and     al, PTE_A | PTE_D
        cmp     al, PTE_A
        CHECK   e, 0x11
        mov     byte [abs PROBE + 8], 0x77
        mov     al, [rbx]
        and     al, PTE_A | PTE_D
        cmp     al, PTE_A | PTE_D
        CHECK   e, 0x12
        cmp     byte [abs PROBE_PHYS + 8], 0x77
        CHECK   e, 0x13
        cmp     byte [abs READ_ONLY + 8], 0x77
        CHECK   e, 0x14
..@no_dirty:
        PART_END
        mov     rsi, text_long
        call    puts

; Faults in ring 0. The log of vectors, error codes, CR2 and RIP is compared at the end.
        PART    PART_FAULTS, 1, ..@no_faults
        FAULT   .de
        xor     edx, edx
        xor     ecx, ecx
        mov     eax, 1
.x_de:   div     ecx
.de:    FAULT   .bp
        int3
.x_bp:                                   ; a trap: RIP is behind it
.bp:    FAULT   .ud
.x_ud:   ud2
.ud:    FAULT   .np
.x_np:   mov     al, [abs ABSENT + 0x123]
.np:    FAULT   .ro
.x_ro:   mov     byte [abs READ_ONLY], 1
.ro:    FAULT   .nx
        mov     rax, PROBE
        jmp     rax                     ; RIP is the target; the page is not executable
.nx:    FAULT   .noncanonical
        mov     rax, 0x800000000000
.x_nc:   mov     al, [rax]
.noncanonical:
        FAULT   .selector
        mov     eax, 0x1238
.x_sel:  mov     fs, ax                  ; beyond the GDT: the error code is the selector
.selector:
        cmp     rsp, STACK_MAIN
        CHECK   e, 0x18
..@no_faults:

; Timer: 8259 at 20h and 28h, 8254 channel 0 at 1 kHz in mode 2.
        PART    PART_TIMER, 1, ..@no_timer
        mov     rsi, pic_setup
.chip:  lodsw
        xchg    eax, edx
        lodsb
        out     dx, al
        cmp     rsi, pic_setup_end
        jb      .chip
.tick:  sti
        hlt                             ; the only place where IF lets an interrupt in
        cli
        cmp     dword [R_TICKS], EXPECT_TICKS
        jb      .tick
        sti                             ; masked by the handler: no more come
        nop
        nop
        cli
        cmp     dword [R_TICKS], EXPECT_TICKS
        CHECK   e, 0x20
        mov     rsi, text_timer
        call    puts
..@no_timer:

; Ring 3 and back.
        PART    PART_RING3, 1, ..@no_ring3
        mov     ecx, 0xc0000081         ; STAR
        xor     eax, eax
        mov     edx, ((SEL_USER_BASE | 3) << 16) | SEL_CODE64
        wrmsr
        inc     ecx                     ; LSTAR
        mov     eax, syscall_entry
        xor     edx, edx
        wrmsr
        mov     ecx, 0xc0000084         ; FMASK: IF, DF, TF
        mov     eax, 0x700
        wrmsr
        mov     [R_KERNEL_RSP], rsp
        push    SEL_USER_DATA | 3
        push    USER_STACK_TOP
        push    0x202
        push    SEL_USER_CODE | 3
        push    USER_CODE
        iretq
after_user:
        mov     rsp, [R_KERNEL_RSP]
        cmp     qword [R_USER_SUM], 500500
        CHECK   e, 0x28
..@no_ring3:
        PART_END

; The log of exceptions against the expected one, which is that of all parts.
        cmp     dword [parts_to_skip], 0
        je      ..@whole_log
        add     dword [R_SKIPPED], 2
        jmp     ..@no_log
..@whole_log:
        mov     eax, [R_EXC_COUNT]
        cmp     eax, (expected_log_end - expected_log) / 24
        CHECK   e, 0x30
        mov     rsi, expected_log
        mov     rdi, R_EXC_LOG
        mov     ecx, expected_log_end - expected_log
        repe    cmpsb
        CHECK   e, 0x31
        mov     rsi, text_exceptions
        call    puts
..@no_log:

        PART    PART_SSE, 3, ..@no_sse
        call    mandelbrot
        call    crc32
        mov     [R_CRC], eax
        mov     rsi, text_crc
        call    puts
        mov     eax, [R_CRC]
        bswap   eax
        mov     ecx, 4
.crc:   push    rax
        call    hex64
        pop     rax
        shr     eax, 8
        dec     ecx
        jnz     .crc
        mov     al, 10
        call    putc64
        cmp     dword [R_CRC], EXPECT_CRC
        CHECK   e, 0x40
        movd    xmm9, eax               ; SSE integer and shuffle on the way out
        pshufd  xmm9, xmm9, 0
        pcmpeqd xmm9, xmm9
        pmovmskb eax, xmm9
        cmp     eax, 0xffff
        CHECK   e, 0x41
        call    sse_zero
        CHECK   z, 0x42
..@no_sse:
        PART_END

        mov     eax, [R_CHECKS]
        add     eax, [R_SKIPPED]
        cmp     eax, EXPECT_CHECKS - 1
        CHECK   e, 0x43
        mov     dword [R_STATUS], 1
        mov     rsi, text_pass
        cmp     dword [R_SKIPPED], 0
        je      ..@whole
        mov     rsi, text_some
..@whole:
        call    puts
        mov     eax, EXIT_PASS
        mov     edx, EXIT_PORT
        out     dx, eax
.halt:  cli
        hlt
        jmp     .halt

; Registers as after power-on, as far as SSE goes; ZF set when XMM15 really is zero.
sse_zero:
        ldmxcsr [mxcsr_default]
%assign reg 0
%rep 16
        pxor    xmm %+ reg, xmm %+ reg
%assign reg reg + 1
%endrep
        movq    rax, xmm15
        test    rax, rax
        ret

; Writes an interrupt gate for handler RAX with attributes EDX at RDI and steps over it.
set_gate:
        mov     [rdi], ax
        mov     word [rdi + 2], SEL_CODE64
        mov     [rdi + 4], dx
        mov     byte [rdi + 4], 0
        shr     rax, 16
        mov     [rdi + 6], ax
        shr     rax, 16
        mov     [rdi + 8], rax
        add     rdi, 16
        ret

        align 16
exception_stubs:
%assign vector 0
%rep 32
        align 16
  %if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
        push    byte 0
  %endif
        push    byte vector
        jmp     near exception
%assign vector vector + 1
%endrep

        align 16
; Stack: rax, vector, error code, RIP, CS, RFLAGS, RSP, SS. Logs, and goes on at R_RESUME.
exception:
        push    rax
        push    rdi
        imul    edi, dword [R_EXC_COUNT], 24
        add     rdi, R_EXC_LOG
        mov     rax, [rsp + 16]
        mov     [rdi], eax
        cmp     eax, 14
        mov     rax, [rsp + 24]
        mov     [rdi + 4], eax
        mov     eax, 0
        jne     .other
        mov     rax, cr2
.other: mov     [rdi + 8], rax
        mov     rax, [rsp + 32]
        mov     [rdi + 16], rax
        inc     dword [R_EXC_COUNT]
        mov     rax, [R_RESUME]
        test    rax, rax
        mov     bl, [rsp + 16]
        jz      fail64                  ; one that was not expected: its vector is the number
        mov     [rsp + 32], rax
        and     dword [rsp + 48], ~0x10000 ; RF, which QEMU's virtualised CPU leaves out of the frames of faults
        mov     qword [R_RESUME], 0
        pop     rdi
        pop     rax
        add     rsp, 16
        iretq

timer:  push    rax
        inc     dword [R_TICKS]
        cmp     dword [R_TICKS], EXPECT_TICKS
        jb      .more
        mov     al, 0xff                ; enough: mask it, so that the number is exact
        out     0x21, al
.more:  mov     al, 0x20
        out     0x20, al
        pop     rax
        iretq

; SYSCALL: EAX = 1 prints RSI, 2 keeps RDI as the sum, 4 sets where the next exception goes on (RDI).
syscall_entry:
        mov     [R_USER_RSP], rsp
        mov     rsp, STACK_SYSCALL
        push    rcx
        push    r11
        call    service
        pop     r11
        pop     rcx
        mov     rsp, [R_USER_RSP]
        o64     sysret

; INT 80h: the same, and 3 leaves ring 3 for good.
int80:  cmp     eax, 3
        je      after_user
        call    service
        iretq

service:
        cmp     eax, 1
        je      puts
        cmp     eax, 2
        je      .sum
        mov     [R_RESUME], rdi
        ret
.sum:   mov     [R_USER_SUM], rdi
        ret

puts:   lodsb
        test    al, al
        jz      .done
        call    putc64
        jmp     puts
.done:  ret
putc64: PUTC    rax, rdx
hex64:  HEX8    putc64
fail64: FAILED  putc64, puts, rsi, hex64

; ---------------------------------------------------------------- picture
WIDTH           equ 76
HEIGHT          equ 25
MAX_ITERATIONS  equ 255

; Iteration counts of z = z² + c into COUNTS, two pixels at a time, drawn as they come. All constants are exact in
; binary, and a pixel that has escaped is held at zero, so nothing overflows and every host gets the same counts.
mandelbrot:
        mov     rdi, COUNTS
        movapd  xmm1, [top]             ; imaginary part of c
        mov     r8d, HEIGHT
.row:   movapd  xmm0, [left]            ; real parts of c
        mov     r9d, WIDTH / 2
.pair:  xorpd   xmm2, xmm2              ; z
        xorpd   xmm3, xmm3
        pxor    xmm4, xmm4              ; counts
        pcmpeqd xmm8, xmm8              ; all ones: still inside
        mov     ecx, MAX_ITERATIONS
.step:  movapd  xmm5, xmm2
        mulpd   xmm5, xmm5
        movapd  xmm6, xmm3
        mulpd   xmm6, xmm6
        movapd  xmm7, xmm5
        addpd   xmm7, xmm6
        cmplepd xmm7, [four]
        andpd   xmm8, xmm7
        movmskpd eax, xmm8
        test    eax, eax
        jz      .escaped
        psubq   xmm4, xmm8
        mulpd   xmm3, xmm2
        addpd   xmm3, xmm3
        addpd   xmm3, xmm1
        subpd   xmm5, xmm6
        addpd   xmm5, xmm0
        movapd  xmm2, xmm5
        andpd   xmm2, xmm8
        andpd   xmm3, xmm8
        dec     ecx
        jnz     .step
.escaped:
        movd    eax, xmm4
        call    .pixel
        punpckhqdq xmm4, xmm4
        movd    eax, xmm4
        call    .pixel
        addpd   xmm0, [step_x]
        dec     r9d
        jnz     .pair
        mov     al, 10
        call    putc64
        addpd   xmm1, [step_y]
        dec     r8d
        jnz     .row
        ret
.pixel: stosb
        mov     edx, MAX_ITERATIONS
        cmp     eax, edx
        je      .inside
        bsr     eax, eax                ; at least 1: z = 0 is always inside
        mov     al, [shades + rax]
        jmp     putc64
.inside:
        mov     al, '#'
        jmp     putc64

; CRC-32 (polynomial EDB88320h, reflected) of the counts, in EAX.
crc32:  mov     rsi, COUNTS
        mov     ecx, WIDTH * HEIGHT
        mov     edx, -1
.byte:  lodsb
        xor     dl, al
        mov     r8d, 8
.bit:   shr     edx, 1
        jnc     .zero
        xor     edx, 0xedb88320
.zero:  dec     r8d
        jnz     .bit
        dec     ecx
        jnz     .byte
        mov     eax, edx
        not     eax
        ret

; ---------------------------------------------------------------- ring 3 code, copied to its own page
user_image:
%define IN_USER(label) (USER_CODE + (label) - user_image)
        lea     rsi, [rel .text_syscall]
        mov     eax, 1
        syscall
        lea     rsi, [rel .text_int80]
        mov     eax, 1
        int     0x80
        lea     rdi, [rel .denied]
        mov     eax, 4
        syscall
.pf:
        mov     al, [abs RESULT]        ; a supervisor page
.denied:
        lea     rdi, [rel .no_io]
        mov     eax, 4
        int     0x80
.gp:
        in      al, 0x21                ; IOPL 0 and no I/O bitmap
.no_io: mov     ecx, 1000
        xor     edi, edi
.sum:   add     edi, ecx
        push    rdi
        pop     rdi
        loop    .sum
        mov     eax, 2
        syscall
        mov     eax, 3
        int     0x80
.text_syscall:
        db      "ring 3 by SYSCALL", 10, 0
.text_int80:
        db      "ring 3 by INT 80h", 10, 0
user_image_end:

; ---------------------------------------------------------------- data
        align 16
left:   dq      -2.25, -2.20703125
step_x: dq      0.0859375, 0.0859375    ; two pixels
top:    dq      -1.03125, -1.03125
step_y: dq      0.0859375, 0.0859375
four:   dq      4.0, 4.0
mxcsr_default: dd 0x1f80
shades: db      " .:-=+*%"

; PTEs from 1 GiB on: user code, user stack, probe (A and D clear), absent, the probe page again read-only.
        align 8
small_pages:
        dd      USER_CODE_PHYS | PTE_P | PTE_U | PTE_A, 0
        dd      USER_STACK_PHYS | PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D, PTE_NX_HIGH
        dd      PROBE_PHYS | PTE_P | PTE_RW, PTE_NX_HIGH
        dd      0, 0
        dd      PROBE_PHYS | PTE_P | PTE_A, PTE_NX_HIGH
small_pages_end:

; vector, error code, CR2, RIP
%macro EXPECT 4
        dd      %1, %2
        dq      %3, %4
%endmacro
        align 8
expected_log:
        EXPECT  13, 0x2468, 0, pm.gp
        EXPECT  0, 0, 0, lm.x_de
        EXPECT  3, 0, 0, lm.x_bp
        EXPECT  6, 0, 0, lm.x_ud
        EXPECT  14, 0, ABSENT + 0x123, lm.x_np
        EXPECT  14, 3, READ_ONLY, lm.x_ro
        EXPECT  14, 0x11, PROBE, PROBE
        EXPECT  13, 0, 0, lm.x_nc
        EXPECT  13, 0x1238, 0, lm.x_sel
        EXPECT  14, 5, RESULT, IN_USER(user_image.pf)
        EXPECT  13, 0, 0, IN_USER(user_image.gp)
expected_log_end:

; Descriptors with the accessed bit set, so that loading them writes nothing.
        align 8
gdt:    dq      0
        dq      0x00af9b000000ffff      ; 64-bit code
        dq      0x00cf93000000ffff      ; data
        dq      0                       ; SYSRET base
        dq      0x00cff3000000ffff      ; user data
        dq      0x00affb000000ffff      ; user 64-bit code
        dw      103, TSS64 & 0xffff     ; 64-bit TSS
        db      TSS64 >> 16, 0x89, 0, 0
        dq      0
        dq      0x00cf9b000000ffff      ; 32-bit code
        dq      0x00409306000000ff      ; window: base 60000h, limit FFh, bytes
gdt_end:
gdtr:   dw      gdt_end - gdt - 1
        dd      gdt
selector_window: dw SEL_WINDOW

        align 8
idt32:  times 13 dq 0
        dw      gp32 - image + 0x7c00, SEL_CODE32, 0x8e00, 0
idt32_end:
idtr32: dw      idt32_end - idt32 - 1
        dd      idt32
idtr64: dw      0x81 * 16 - 1
        dq      IDT64

; port, value
%macro PORT 2
        dw      %1
        db      %2
%endmacro
uart_setup:
        PORT    COM1 + 3, 0x80
        PORT    COM1, 1
        PORT    COM1 + 1, 0
        PORT    COM1 + 3, 3
        PORT    COM1 + 1, 0
        PORT    COM1 + 2, 7
        PORT    COM1 + 4, 3
uart_setup_end:
pic_setup:
        PORT    0x20, 0x11
        PORT    0xa0, 0x11
        PORT    0x21, 0x20
        PORT    0xa1, 0x28
        PORT    0x21, 4
        PORT    0xa1, 2
        PORT    0x21, 1
        PORT    0xa1, 1
        PORT    0x21, 0xfe
        PORT    0xa1, 0xff
        PORT    0x43, 0x34
        PORT    0x40, 1193 & 0xff
        PORT    0x40, 1193 >> 8
pic_setup_end:

text_real:       db "real mode: interrupt table, segments, strings", 10, 0
text_protected:  db "protected mode: segment base, GDT limit", 10, 0
text_long:       db "long mode: 2 MiB and 4 KiB pages, accessed and dirty bits", 10, 0
text_timer:      db "timer: 10 interrupts", 10, 0
text_exceptions: db "exceptions: 11 as expected", 10, 0
text_crc:        db "mandelbrot: crc32 ", 0
text_pass:       db "PASS 23 checks", 10, 0
text_some:       db "PASS, with parts left out", 10, 0
text_fail:       db "FAIL check ", 0
