/* The forward product on a few row-major samples, one after the other, by the widest vectors that a layer can fill: with
 * a group of units, or with single ones where there are very few. */

/* Layers of very few inputs. */
static void NAME(sample_plain)(size_t n_out, size_t n_in, const real *W, const real *b, const real *a, real *z)
{
    for (size_t i = 0; i < n_out; i++) {
        real sum = R(0.0);
        for (size_t j = 0; j < n_in; j++)
            sum = FMA(W[i * n_in + j], a[j], sum);
        z[i] = sum + b[i];
    }
}

typedef void (*NAME(sample_kernel))(size_t, size_t, const real *, const real *, const real *, real *);

static NAME(sample_kernel) NAME(choose_sample_kernel)(size_t n_out, size_t n_in)
{
    (void)n_in, (void)n_out;
#define LARGEST(lanes)                                                                 \
    if (n_in >= (lanes) && (n_out >= (lanes) || n_out <= (lanes) / 4 || (lanes) <= 4)) \
        return LANED_NAME(NAME(sample), lanes);
#if REGISTER_LANES >= 16
    LARGEST(16)
#endif
#if REGISTER_LANES >= 8
    LARGEST(8)
#endif
#if REGISTER_LANES >= 4
    LARGEST(4)
#elif REGISTER_LANES == 2
    LARGEST(2)
#endif
#undef LARGEST
    return NAME(sample_plain);
}

static void NAME(rows_forward)(size_t n_rows, size_t n_out, size_t n_in, const real *W, const real *b, const real *A,
                               real *Z)
{
    const NAME(sample_kernel) sample = NAME(choose_sample_kernel)(n_out, n_in);
    for (size_t s = 0; s < n_rows; s++)
        sample(n_out, n_in, W, b, A + s * n_in, Z + s * n_out);
}
