/* Vector registers: functions are compiled for several kinds, and one is chosen for the processor at run
   time. */

#ifndef NERTOOL_REGISTERS_H
#define NERTOOL_REGISTERS_H

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef float sixteen __attribute__((vector_size(64), aligned(4), may_alias));

#ifdef __x86_64__
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx2,fma")))

enum registers { SSE2, AVX2, AVX512 };

/* Returns the largest vector registers that this processor has. */
static inline enum registers registers(void)
{
    int fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return !fused ? SSE2 : __builtin_cpu_supports("avx512f") ? AVX512 : AVX2;
}

#endif

#endif
