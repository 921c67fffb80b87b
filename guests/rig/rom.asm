; A 64 KiB firmware image that starts a flat guest the way emu does, so that other emulators can be asked for the truth.
; Built with -D IMAGE='"guest.bin"' -D LOAD=address; see run-in-qemu.sh.
        cpu x64
        bits 16
        org 0
entry:  cli
        cld
        mov     ax, 0xf000
        mov     ds, ax
        xor     ax, ax
        mov     es, ax
        mov     ss, ax
        mov     si, image
        mov     di, LOAD
        mov     cx, image_end - image
        rep     movsb
        mov     ds, ax
        xor     ecx, ecx
        xor     edx, edx
        xor     ebx, ebx
        xor     esp, esp
        xor     ebp, ebp
        xor     esi, esi
        xor     edi, edi
%ifdef SET_EAX
        mov     eax, SET_EAX
%else
        xor     eax, eax
%endif
%ifdef SET_EBX
        mov     ebx, SET_EBX
%endif
        push    dword 2
        popfd
        xor     esp, esp
        jmp     0:LOAD
image:  incbin  IMAGE
image_end:
        times   0xfff0 - ($ - $$) db 0
        jmp     0xf000:entry
        times   0x10000 - ($ - $$) db 0
