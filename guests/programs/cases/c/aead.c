// Authenticated ciphers of libcrypto over many lengths: prints a digest of all that comes out and checks that it decrypts.
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM", "AES-128-CCM", "AES-256-CCM", "AES-128-OCB", "AES-256-OCB", "ChaCha20-Poly1305", "ARIA-256-GCM"};
static const int lengths[] = {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 255, 256, 287, 288, 289, 511, 512, 767, 768, 1023, 1024, 4097, 65536 + 13};
static unsigned char plain[1 << 17], sealed[1 << 17], opened[1 << 17], key[32], nonce[12];

static int crypt(const EVP_CIPHER *cipher, int encrypt, int ccm, const unsigned char *in, unsigned char *out, int length, unsigned char *tag) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0, ok = EVP_CipherInit_ex(context, cipher, NULL, NULL, NULL, encrypt) && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL);
    if (ccm || !encrypt)
        ok = ok && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, encrypt ? NULL : tag);
    ok = ok && EVP_CipherInit_ex(context, NULL, NULL, key, nonce, encrypt);
    if (ccm)
        ok = ok && EVP_CipherUpdate(context, NULL, &n, NULL, length);
    ok = ok && EVP_CipherUpdate(context, NULL, &n, plain + 7, 21);
    ok = ok && (length == 0 && !ccm ? 1 : EVP_CipherUpdate(context, out, &n, in, length));
    if (!ccm)
        ok = ok && EVP_CipherFinal_ex(context, out + n, &n);
    if (encrypt)
        ok = ok && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

int main(void) {
    unsigned state = 1;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (state = state * 1664525 + 1013904223) >> 24;
    memcpy(key, plain + 1000, sizeof key);
    memcpy(nonce, plain + 2000, sizeof nonce);
    for (size_t c = 0; c < sizeof names / sizeof *names; c++) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, names[c], NULL);
        for (size_t l = 0; cipher && l < sizeof lengths / sizeof *lengths; l++) {
            unsigned char tag[16], digest[32];
            int ccm = strstr(names[c], "CCM") != NULL, n = lengths[l];
            int encrypted = crypt(cipher, 1, ccm, plain + l, sealed, n, tag);
            int decrypted = encrypted && crypt(cipher, 0, ccm, sealed, opened, n, tag) && !memcmp(opened, plain + l, n);
            EVP_Digest(sealed, n, digest, NULL, EVP_sha256(), NULL);
            printf("%s %d %d %d %02x%02x%02x%02x %02x%02x%02x%02x\n", names[c], n, encrypted, decrypted, tag[0], tag[1], tag[2], tag[15], digest[0], digest[1], digest[2], digest[3]);
        }
        EVP_CIPHER_free(cipher);
    }
    return 0;
}
