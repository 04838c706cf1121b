/* Seeded bugs: a tool that does not report them when .ci/sanitize runs them is not at work. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* one element beyond the end of an allocation */
double heap_overflow(size_t n)
{
    double *x = malloc(n * sizeof(double)), last;
    memset(x, 0, n * sizeof(double));
    last = ((volatile double *)x)[n];
    free(x);
    return last;
}

int signed_overflow(size_t n)
{
    int sum = 0x7fffff00;
    for (size_t i = 0; i < n; i++)
        sum += 1;
    return sum;
}

double misaligned(size_t n)
{
    double x[2] = {0.0, (double)n};
    return *(volatile double *)((char *)x + 4);
}

/* threads add to one number without asking each other */
double race(size_t n)
{
    double sum = 0.0;
#pragma omp parallel for num_threads(2) shared(sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)i;
    return sum;
}
