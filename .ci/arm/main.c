/* Calls net_predict on a Cortex-M4F, says what it has found, and ends the emulator with its status. */
#include <stdint.h>

#include "net.h"
#include "samples.h"

enum { SAMPLES = 10, INPUTS = 8, PAINTED = 4096, MOST = 512, WRITE = 4, EXIT = 0x20 };
static const uint32_t PAINT = 0xA5A5A5A5u;
extern uint32_t stack_top;

void start(void);

__attribute__((section(".vectors"), used)) static void *const vectors[] = {&stack_top, (void *)start};

/* a call of the debugger's, which the emulator answers */
static void host(int what, const void *about)
{
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = about;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void say(const char *name, unsigned value)
{
    char digits[12], *at = digits + sizeof digits;
    *--at = 0;
    *--at = '\n';
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    host(WRITE, name);
    host(WRITE, at);
}

/* how far below this call the stack was written to */
static __attribute__((noinline)) unsigned stack_of(const float *x, float *y)
{
    volatile uint32_t *here, *at;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (at = here - PAINTED / 4; at < here; at++)
        *at = PAINT;
    net_predict(x, y);
    for (at = here - PAINTED / 4; at < here && *at == PAINT; at++)
        ;
    return (unsigned)((const volatile char *)here - (const volatile char *)at);
}

static int run(void)
{
    unsigned wrong = 0, stack = 0;
    for (int n = 0; n < SAMPLES; n++) {
        float y = 0.0f;
        const unsigned used = stack_of(X + n * INPUTS, &y);
        const double error = (double)y - Y[n];
        stack = used > stack ? used : stack;
        wrong += !(error <= bound && -error <= bound);
    }
    say("wrong outputs: ", wrong);
    say("bytes of stack: ", stack);
    return wrong || stack > MOST;
}

void start(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* floating point on */
    __asm__ volatile("dsb; isb");
    const uint32_t why[2] = {0x20026u, (uint32_t)run()}; /* the program has ended, with a status */
    host(EXIT, why);
    for (;;)
        ;
}
