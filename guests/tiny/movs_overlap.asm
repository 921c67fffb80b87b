; REP MOVS over itself: by bytes the pattern spreads, by wider elements it spreads by elements, downwards it is kept.
;
; guest: movs_overlap
; load: 0x7c00
; serial: "abababababab\nabababababab\nabcdabcdabcd\nabcabcdefghi\n"
; exit: 33
        cpu x64
        bits 16
        org 0x7c00
%include "guest.inc"
%macro PREPARE 1                        ; the text into the buffer
        mov     si, %1
        mov     di, buffer
        mov     cx, 7
        rep     movsw
%endmacro
        START16
        PREPARE digits
        mov     si, buffer              ; bytes, two ahead
        mov     di, buffer + 2
        mov     cx, 10
        rep     movsb
        PRINT16 buffer
        PREPARE digits
        mov     si, buffer              ; words, one word ahead
        mov     di, buffer + 2
        mov     cx, 5
        rep     movsw
        PRINT16 buffer
        PREPARE digits
        mov     si, buffer              ; dwords, one dword ahead
        mov     di, buffer + 4
        mov     cx, 2
        rep     movsd
        PRINT16 buffer
        PREPARE digits
        std                             ; bytes downwards, three ahead: nothing is overwritten before it is read
        mov     si, buffer + 8
        mov     di, buffer + 11
        mov     cx, 9
        rep     movsb
        cld
        PRINT16 buffer
        cmp     si, buffer + 14         ; behind the zero that ended the print
        CHECK   e, 1

        ; DI wraps inside its segment with 16-bit addresses.
        mov     ax, 0x2000
        mov     es, ax
        mov     di, 0xfffe
        mov     al, 'w'
        mov     cx, 4
        rep     stosb
        cmp     di, 2
        CHECK   e, 2
        cmp     word [es:0], 'ww'
        CHECK   e, 3
        END     PASS
        LIB16
digits: db      "abcdefghijkl", 10, 0
buffer: times 14 db 0
