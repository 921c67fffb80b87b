// SIMD by intrinsics: SSE and SSE2 everywhere; SSE3 to AVX2, FMA, F16C, BMI, AES, PCLMULQDQ and SHA where the options allow them; and loops
// for the compiler to vectorise.
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t state = 88172645463325252u, sum = 14695981039346656037u;

static uint32_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 16;
}

static void mix(const void *value, size_t size) {
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)value)[i]) * 1099511628211u;
}

static void show(const char *name) {
    printf("%s %016llx\n", name, (unsigned long long)sum);
    sum = 14695981039346656037u;
}

static void fill(void *to, size_t size) {
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)to)[i] = next() >> (next() & 7);
}

#define PUT(...)                                \
    ({                                          \
        __typeof__(__VA_ARGS__) put = __VA_ARGS__; \
        mix(&put, sizeof put);                  \
    })

#ifdef __SSE2__
static void integers(void) {
    __m128i a, b;
    for (int i = 0; i < 2000; i++) {
        fill(&a, sizeof a), fill(&b, sizeof b);
        PUT(_mm_add_epi8(a, b)), PUT(_mm_adds_epi8(a, b)), PUT(_mm_adds_epu8(a, b)), PUT(_mm_subs_epi16(a, b)), PUT(_mm_subs_epu16(a, b)), PUT(_mm_add_epi64(a, b));
        PUT(_mm_mullo_epi16(a, b)), PUT(_mm_mulhi_epi16(a, b)), PUT(_mm_mulhi_epu16(a, b)), PUT(_mm_madd_epi16(a, b)), PUT(_mm_mul_epu32(a, b)), PUT(_mm_sad_epu8(a, b));
        PUT(_mm_avg_epu8(a, b)), PUT(_mm_avg_epu16(a, b)), PUT(_mm_min_epu8(a, b)), PUT(_mm_max_epi16(a, b)), PUT(_mm_cmpeq_epi8(a, b)), PUT(_mm_cmpgt_epi32(a, b));
        PUT(_mm_packs_epi16(a, b)), PUT(_mm_packus_epi16(a, b)), PUT(_mm_packs_epi32(a, b)), PUT(_mm_unpackhi_epi8(a, b)), PUT(_mm_unpacklo_epi16(a, b)), PUT(_mm_unpackhi_epi64(a, b));
        PUT(_mm_slli_epi16(a, 3)), PUT(_mm_sra_epi32(a, _mm_and_si128(b, _mm_set_epi64x(0, 63)))), PUT(_mm_srl_epi64(a, _mm_and_si128(b, _mm_set_epi64x(0, 127)))), PUT(_mm_slli_si128(a, 5)), PUT(_mm_srli_si128(a, 11));
        PUT(_mm_shuffle_epi32(a, 0x1B)), PUT(_mm_shufflelo_epi16(a, 0x93)), PUT(_mm_shufflehi_epi16(a, 0x4E)), PUT(_mm_movemask_epi8(a)), PUT(_mm_extract_epi16(a, 5)), PUT(_mm_insert_epi16(a, i, 2));
        PUT(_mm_andnot_si128(a, b)), PUT(_mm_xor_si128(a, b)), PUT(_mm_sub_epi32(a, b)), PUT(_mm_cvtsi128_si32(a));
    }
    show("integers");
}

static void floats(void) {
    __m128 a, b;
    __m128d c, d;
    for (int i = 0; i < 2000; i++) {
        if (i & 1) {
            fill(&a, sizeof a), fill(&b, sizeof b), fill(&c, sizeof c), fill(&d, sizeof d);
        } else {
            a = _mm_set_ps((int)next() * 1e-3f, next(), 1.5f, i), b = _mm_set_ps(next() * 1e-30f, -2, 2.5f, i - 1000), c = _mm_set_pd((int)next() * 0.37, -i), d = _mm_set_pd(next(), i - 0.5);
        }
        PUT(_mm_add_ps(a, b)), PUT(_mm_mul_ps(a, b)), PUT(_mm_div_ps(a, b)), PUT(_mm_sqrt_ps(a)), PUT(_mm_min_ps(a, b)), PUT(_mm_max_ps(a, b)), PUT(_mm_cmplt_ps(a, b)), PUT(_mm_cmpunord_ps(a, b));
        PUT(_mm_add_pd(c, d)), PUT(_mm_mul_pd(c, d)), PUT(_mm_div_pd(c, d)), PUT(_mm_sqrt_pd(c)), PUT(_mm_min_pd(c, d)), PUT(_mm_max_pd(c, d)), PUT(_mm_cmpnle_pd(c, d)), PUT(_mm_cmpord_sd(c, d));
        PUT(_mm_shuffle_ps(a, b, 0x4B)), PUT(_mm_unpackhi_ps(a, b)), PUT(_mm_movehl_ps(a, b)), PUT(_mm_movemask_ps(a)), PUT(_mm_movemask_pd(c)), PUT(_mm_shuffle_pd(c, d, 1)), PUT(_mm_unpacklo_pd(c, d));
        PUT(_mm_cvtps_epi32(a)), PUT(_mm_cvttps_epi32(a)), PUT(_mm_cvtpd_epi32(c)), PUT(_mm_cvttpd_epi32(c)), PUT(_mm_cvtepi32_ps(_mm_castps_si128(a))), PUT(_mm_cvtepi32_pd(_mm_castps_si128(a)));
        PUT(_mm_cvtps_pd(a)), PUT(_mm_cvtpd_ps(c)), PUT(_mm_cvtsd_ss(a, c)), PUT(_mm_cvtss_sd(c, a)), PUT(_mm_cvtss_si32(a)), PUT(_mm_cvttsd_si32(c));
        PUT(_mm_comilt_ss(a, b)), PUT(_mm_ucomieq_sd(c, d)), PUT(_mm_comige_sd(c, d)), PUT(_mm_andnot_ps(a, b)), PUT(_mm_xor_pd(c, d));
    }
    show("floats");
}

#endif

#ifdef __AVX2__
static void later(void) {
    __m256i a, b;
    __m128i x, y;
    for (int i = 0; i < 2000; i++) {
        fill(&a, sizeof a), fill(&b, sizeof b);
        x = _mm256_castsi256_si128(a), y = _mm256_castsi256_si128(b);
        PUT(_mm_shuffle_epi8(x, y)), PUT(_mm_hadd_epi16(x, y)), PUT(_mm_hsubs_epi16(x, y)), PUT(_mm_maddubs_epi16(x, y)), PUT(_mm_mulhrs_epi16(x, y)), PUT(_mm_sign_epi8(x, y)), PUT(_mm_abs_epi32(x)), PUT(_mm_alignr_epi8(x, y, 7));
        PUT(_mm_blendv_epi8(x, y, _mm_srli_epi16(x, 3))), PUT(_mm_mullo_epi32(x, y)), PUT(_mm_mul_epi32(x, y)), PUT(_mm_minpos_epu16(x)), PUT(_mm_mpsadbw_epu8(x, y, 5)), PUT(_mm_packus_epi32(x, y)), PUT(_mm_cvtepi8_epi64(x)), PUT(_mm_testc_si128(x, y));
        PUT(_mm_cmpistri(x, y, 0x0C)), PUT(_mm_cmpestrm(x, i % 17, y, 9, 0x44)), PUT(_mm_crc32_u32(i, next())), PUT(_mm_cmpgt_epi64(x, y)), PUT(_mm_insert_epi8(x, i, 9)), PUT(_mm_extract_epi32(x, 3));
        PUT(_mm256_add_epi8(a, b)), PUT(_mm256_mulhi_epi16(a, b)), PUT(_mm256_mullo_epi32(a, b)), PUT(_mm256_packs_epi32(a, b)), PUT(_mm256_unpackhi_epi16(a, b)), PUT(_mm256_shuffle_epi8(a, b)), PUT(_mm256_alignr_epi8(a, b, 9));
        PUT(_mm256_sllv_epi32(a, _mm256_and_si256(b, _mm256_set1_epi32(63)))), PUT(_mm256_srav_epi32(a, _mm256_and_si256(b, _mm256_set1_epi32(63)))), PUT(_mm256_srlv_epi64(a, _mm256_and_si256(b, _mm256_set1_epi64x(127))));
        PUT(_mm256_permutevar8x32_epi32(a, b)), PUT(_mm256_permute4x64_epi64(a, 0x1B)), PUT(_mm256_permute2x128_si256(a, b, 0x31)), PUT(_mm256_broadcastb_epi8(x)), PUT(_mm256_blend_epi16(a, b, 0xA5)), PUT(_mm256_movemask_epi8(a));
        PUT(_mm256_cvtepu8_epi32(x)), PUT(_mm256_sad_epu8(a, b)), PUT(_mm256_hadd_epi32(a, b)), PUT(_mm256_cmpgt_epi64(a, b)), PUT(_mm256_inserti128_si256(a, y, 1)), PUT(_mm256_testz_si256(a, b)), PUT(_mm256_bslli_epi128(a, 3));
        int table[64], mask[8];
        fill(table, sizeof table);
        PUT(_mm256_i32gather_epi32(table, _mm256_and_si256(a, _mm256_set1_epi32(63)), 4)), PUT(_mm256_mask_i32gather_epi32(a, table, _mm256_and_si256(b, _mm256_set1_epi32(63)), b, 4));
        memset(mask, 0, sizeof mask);
        _mm256_maskstore_epi32(mask, b, a), mix(mask, sizeof mask), PUT(_mm256_maskload_epi32(table + 5, a));
        __m256 f = _mm256_cvtepi32_ps(a), g = _mm256_cvtepi32_ps(b);
        __m256d p = _mm256_cvtepi32_pd(x), q = _mm256_cvtepi32_pd(y);
        PUT(_mm256_fmadd_ps(f, g, f)), PUT(_mm256_fnmsub_pd(p, q, q)), PUT(_mm256_fmaddsub_ps(f, g, g)), PUT(_mm256_hadd_ps(f, g)), PUT(_mm256_addsub_pd(p, q)), PUT(_mm256_dp_ps(f, g, 0xF1)), PUT(_mm256_round_ps(_mm256_div_ps(f, g), 1));
        PUT(_mm256_cmp_ps(f, g, _CMP_NGE_UQ)), PUT(_mm256_cmp_pd(p, q, _CMP_GT_OS)), PUT(_mm256_sqrt_pd(p)), PUT(_mm256_permutevar_ps(f, a)), PUT(_mm256_blendv_pd(p, q, _mm256_castsi256_pd(a))), PUT(_mm256_movemask_ps(f)), PUT(_mm256_cvttpd_epi32(_mm256_mul_pd(p, q)));
        PUT(_mm256_cvtps_ph(_mm256_mul_ps(f, _mm256_set1_ps(1e-6f)), 0)), PUT(_mm256_cvtph_ps(x)), PUT(_mm_fmsub_sd(_mm256_castpd256_pd128(p), _mm256_castpd256_pd128(q), _mm256_castpd256_pd128(q)));
        uint32_t m = next(), n = next();
        PUT(_bextr_u32(m, i & 31, 9)), PUT(_blsr_u32(m)), PUT(_blsi_u32(n)), PUT(_pdep_u32(m, n)), PUT(_pext_u32(m, n)), PUT(_bzhi_u32(m, i & 31)), PUT(_lzcnt_u32(m)), PUT(_tzcnt_u32(n)), PUT(__builtin_popcount(m));
    }
    show("later");
}

__attribute__((target("aes,pclmul,sha"))) static void secrets(void) {
    __m128i a, b, c;
    for (int i = 0; i < 2000; i++) {
        fill(&a, sizeof a), fill(&b, sizeof b), fill(&c, sizeof c);
        PUT(_mm_aesenc_si128(a, b)), PUT(_mm_aesdeclast_si128(a, b)), PUT(_mm_aesimc_si128(a)), PUT(_mm_aeskeygenassist_si128(a, 0x1B)), PUT(_mm_clmulepi64_si128(a, b, 0x10));
        PUT(_mm_sha256rnds2_epu32(a, b, c)), PUT(_mm_sha256msg2_epu32(a, b)), PUT(_mm_sha1rnds4_epu32(a, b, 2)), PUT(_mm_sha1nexte_epu32(a, b));
    }
    show("secrets");
}
#endif

static void loops(void) {
    static uint8_t bytes[4099];
    static int16_t words[4099];
    static int32_t numbers[4099];
    static float singles[4099];
    static double doubles[4099];
    fill(bytes, sizeof bytes);
    for (int turn = 0; turn < 30; turn++) {
        for (int i = 0; i < 4098; i++)
            words[i] += bytes[i] * 3 - bytes[i + 1];
        for (int i = 0; i < 4099; i++)
            numbers[i] += words[i] * (words[4098 - i] >> 2), bytes[i] = bytes[i] > 200 ? 255 - bytes[i] : bytes[i] + 3;
        for (int i = 0; i < 4099; i++)
            singles[i] = singles[i] * 0.5f + numbers[i] * 0.001f, doubles[i] = doubles[i] < 1e9 ? doubles[i] + singles[i] : -1;
    }
    int total = 0, most = 0;
    for (int i = 0; i < 4099; i++)
        total += numbers[i], most = numbers[i] > most ? numbers[i] : most;
    mix(words, sizeof words), mix(numbers, sizeof numbers), mix(bytes, sizeof bytes), mix(singles, sizeof singles), mix(doubles, sizeof doubles), mix(&total, sizeof total), mix(&most, sizeof most);
    show("loops");
}

static void copies(void) {
    static char a[9000], b[9000];
    fill(a, sizeof a);
    for (int i = 0; i < 1500; i++) {
        int from = next() % 300, to = next() % 300, size = next() % (i % 10 ? 200 : 8000);
        memcpy(b + to, a + from, size), memmove(a + from, a + to, size), memset(b + from, i, size / 3 + 1);
        mix(b + to, 64);
        int found = memchr(a, i, sizeof a) ? (char *)memchr(a, i, sizeof a) - a : -1, order = memcmp(a, b, size), length = strnlen(a + to, size);
        order = (order > 0) - (order < 0);
        PUT(found), PUT(order), PUT(length);
        a[8000] = 0;
        PUT(strlen(a + from)), PUT(strspn(a + to, "\1\2\3"));
    }
    show("copies");
}

int main(void) {
#ifdef __SSE2__
    integers();
    floats();
#endif
#ifdef __AVX2__
    later();
    secrets();
#endif
    loops();
    copies();
    return 0;
}
