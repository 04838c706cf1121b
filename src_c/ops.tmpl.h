/* The one list of kernels, KERNEL(result, name, (arguments)), with their contract. `real` is the number type.
 *
 * The tables (fmlp.h), what fills them (table.tmpl.c) and their bridge to Cython (bridge.py) are made from this list.
 * Each ==== heading names the file of that bridge, in fastmlp/_core/bridge, which has what follows.
 *
 * Letters: z pre-activation, a activation, W one row per unit (n_out x n_in, row-major), b bias.
 * A *block* holds n samples feature-major: element (unit j, sample s) at [j * ld + s]. Blocks start on a 64-byte boundary,
 * ld is a multiple of FMLP_PAD, and columns n .. round_up(n, lanes) may be computed as well: they hold copies of real
 * samples, and deltas that are zero there. Nothing aliases unless said. Kernels cannot fail.
 */

/* ==== dense_ops: the three products of a dense layer on blocks ==== */
/* Z[i,s] = b[i] + sum_j W[i,j] A[j,s], added to Z if `add`; b may be NULL */
KERNEL(void, dense_forward, (size_t n_out, size_t n_in, size_t n, const real *W, const real *b, const real *A, int add,
                             real *Z, size_t ld))
/* E[j,s] = factor[j,s] (sum_i W[i,j] D[i,s] + (add ? E[j,s] : 0)); factor may be NULL */
KERNEL(void, dense_backward, (size_t n_out, size_t n_in, size_t n, const real *W, const real *D, int add,
                              const real *factor, real *E, size_t ld))
/* the same, not added, for n_in columns of a wider W, W[i * ldw + j], and rows of D that lie apart, D[i * ldd + s] */
KERNEL(void, dense_backward_part, (size_t n_out, size_t n_in, size_t n, const real *W, size_t ldw, const real *D,
                                   size_t ldd, const real *factor, real *E, size_t ld))
/* gW[i,j] = sum_s D[i,s] A[j,s];  gb[i] = sum_s D[i,s]; added to them if `add`; gb may be NULL; padded columns of D
 * are zero, n > 0 */
KERNEL(void, dense_gradient, (size_t n_out, size_t n_in, size_t n, const real *D, const real *A, int add, real *gW,
                              real *gb, size_t ld))
/* C[i,j] = sum_s L[i,s] R[j,s] for j <= i < m, added to C if `add`; some numbers right of the diagonal are written too;
 * padded columns of L are zero */
KERNEL(void, gram, (size_t m, size_t n, const real *L, const real *R, size_t ld, int add, real *C))
/* G[i,j] = sum_s D[i,s] x[j][s] y[j][s], added to G if `add`, where x[j] and y[j] are rows of blocks; padded columns of
 * D are zero; the work space S has n rows */
KERNEL(void, product_gradient, (size_t m, size_t n, size_t samples, const real *D, const real *const *x,
                                const real *const *y, real *S, int add, real *G, size_t ld))
/* P[i,s] (+)= x[s] Y[i,s] for m rows; P may be Y */
KERNEL(void, multiply_rows, (size_t m, size_t n, const real *x, const real *Y, int add, real *P, size_t ld))
/* Z[s,i] = b[i] + sum_j W[i,j] A[s,j] for n_rows row-major samples, one to eight */
KERNEL(void, rows_forward, (size_t n_rows, size_t n_out, size_t n_in, const real *W, const real *b, const real *A,
                            real *Z))

/* ==== window_ops: layers of windows ==== */
/* ---- the three products of a convolution; W (maps, positions where they are local, channels, rows, cols), b (maps,
 * biases) in the words of fmlp_window ---- */
/* Z[i,(y,x),s] = b[i] + sum_(c,p,q) W[i,c,p,q] A[c,(y down + p - top, x across + q - left),s], added to Z if `add`; b may
 * be NULL */
KERNEL(void, conv_forward, (const fmlp_window *window, size_t n, const real *W, const real *b, const real *A, int add,
                            real *Z, size_t ld))
/* E = factor (the transposed map of D + (add ? E : 0)); factor may be NULL */
KERNEL(void, conv_backward, (const fmlp_window *window, size_t n, const real *W, const real *D, int add,
                             const real *factor, real *E, size_t ld))
/* gW[i,c,p,q] = sum_((y,x),s) D[i,(y,x),s] A[c,(y down + p - top, x across + q - left),s], gb that of D; added to them if
 * `add`; gb may be NULL; padded columns of D are zero */
KERNEL(void, conv_gradient, (const fmlp_window *window, size_t n, const real *D, const real *A, int add, real *gW,
                             real *gb, size_t ld))

/* The gradient of each sample, a column of G: GW[w,s] and Gb[w,s], in rows of ld numbers like D and A */
KERNEL(void, conv_columns, (const fmlp_window *window, size_t n, const real *D, const real *A, real *GW, real *Gb,
                            size_t ld))
/* Z[s] = the forward product of row-major samples A[s], one to eight; `room` has fmlp_conv_room numbers, on a cache line */
KERNEL(void, conv_rows, (const fmlp_window *window, size_t n_rows, const real *W, const real *b, const real *A, real *Z,
                         real *room))

/* ---- pools, windows that do not overlap, forward and, as conv_backward, back ---- */
/* Z = means over windows of A, added to Z if `add` */
KERNEL(void, mean_forward, (const fmlp_window *window, size_t n, const real *A, int add, real *Z, size_t ld))
KERNEL(void, mean_backward, (const fmlp_window *window, size_t n, const real *D, int add, const real *factor, real *E,
                             size_t ld))
/* Z = A where `point` has the largest number of each window, row by row the first of several; A may be `point` */
KERNEL(void, max_forward, (const fmlp_window *window, size_t n, const real *point, const real *A, int add, real *Z,
                           size_t ld))
KERNEL(void, max_backward, (const fmlp_window *window, size_t n, const real *point, const real *D, int add,
                            const real *factor, real *E, size_t ld))

/* The same forward, of row-major samples; those of A are `point` */
KERNEL(void, mean_rows, (const fmlp_window *window, size_t n_rows, const real *A, real *Z))
KERNEL(void, max_rows, (const fmlp_window *window, size_t n_rows, const real *A, real *Z))

/* ==== unit_ops: activations, element by element ==== */
/* h[i] = h(z[i]), d1[i] = h'(z[i]), d2[i] = h''(z[i]); d2, or d1 and d2, may be NULL; h may be z */
KERNEL(void, activation, (int kind, size_t n, const real *z, real *h, real *d1, real *d2))
/* d3[i] = h'''(z[i]); d3 may be z */
KERNEL(void, activation_third, (int kind, size_t n, const real *z, real *d3))
/* y[i] = log(1 + x[i]) for x >= 0; y may be x */
KERNEL(void, log1p, (size_t n, const real *x, real *y))
/* Y[k,s] = exp(Z[k,s]) / sum_j exp(Z[j,s]); Y may be Z */
KERNEL(void, softmax, (size_t n_out, size_t n, const real *Z, real *Y, size_t ld))
/* the same for one row, in place; its sum is formed in another order */
KERNEL(void, softmax_row, (size_t n_out, real *z))
/* P[k,s] = sum_l (dy_k / dz_l) U[l,s] = Y[k,s] (U[k,s] - sum_l Y[l,s] U[l,s]) for softmax outputs Y; P may be Y */
KERNEL(void, softmax_product, (size_t n_out, size_t n, const real *Y, const real *U, real *P, size_t ld))
/* its tangent, for RY that of Y, which sums to 0: RP[k,s] = RY[k,s] (U[k,s] - sum_l Y[l,s] U[l,s]) - Y[k,s] sum_l RY[l,s] U[l,s] */
KERNEL(void, softmax_product_tangent, (size_t n_out, size_t n, const real *Y, const real *RY, const real *U, real *RP,
                                       size_t ld))

/* C[j,s] = A[j,s] B[j,s], added to C if `add`; C may be A or B */
KERNEL(void, multiply, (size_t width, size_t n, const real *A, const real *B, int add, real *C, size_t ld))

/* ==== loss_ops: losses on a block: y, d1, d2 (output, h', h'' at z) are read by squared_error only ==== */
/* value[s] = weight[s] e_s,  D[k,s] = weight[s] de_s/dz_k; D may be NULL, and weight (by sample), scale (by output) and
 * precision (of each target), the latter two with squared_error only */
KERNEL(void, loss_gradient, (int kind, size_t n_out, size_t n, const real *Z, const real *Y, const real *d1,
                             const real *T, const real *weight, const real *scale, const real *precision, real *value,
                             real *D, size_t ld))
/* RD[k,s] = weight[s] sum_l (d2e_s / dz_k dz_l) RZ[l,s]; with ggn != 0 the Gauss-Newton part only */
KERNEL(void, loss_hessp, (int kind, int ggn, size_t n_out, size_t n, const real *Z, const real *Y, const real *d1,
                          const real *d2, const real *T, const real *weight, const real *scale,
                          const real *precision, const real *RZ, real *RD, size_t ld))

/* ==== layout_ops: between row-major arrays and blocks ==== */
/* block[j,s] = X[index[s], j] (index NULL: row s); columns n .. round_up(n, lanes) repeat the last sample */
KERNEL(void, load_rows, (size_t n, size_t width, const real *X, const ptrdiff_t *index, real *block, size_t ld))
/* block[k,s] = (labels[index[s]] == k) */
KERNEL(void, load_labels, (size_t n, size_t width, const ptrdiff_t *labels, const ptrdiff_t *index, real *block,
                           size_t ld))
/* X[s * stride + j] = block[j,s] */
KERNEL(void, store_rows, (size_t n, size_t width, const real *block, real *X, size_t stride, size_t ld))
/* J[s * stride + i * n_in + j] = D[s,i] A[s,j], and after them D[s,i]: the gradient of each sample; D, A row-major */
KERNEL(void, store_outer, (size_t n_out, size_t n_in, size_t n, const real *D, const real *A, real *J, size_t stride))

/* ==== vector_ops: vectors of parameters ==== */
/* whether no x is infinite or nan */
KERNEL(int, finite, (size_t n, const real *x))
/* y += x */
KERNEL(void, add, (size_t n, const real *x, real *y))
/* y += factor x */
KERNEL(void, add_multiple, (size_t n, real factor, const real *x, real *y))
/* x'y; x may be y */
KERNEL(double, dot, (size_t n, const real *x, const real *y))
/* g = scale * g + factor * lambda * w; returns sum lambda/2 w^2 */
KERNEL(double, decay, (size_t n, real scale, real factor, const real *lambda, const real *w, real *g))
/* with G = scale g: v = momentum v + G; w -= rate * (nesterov ? G + momentum v : v) */
KERNEL(void, sgd_step, (size_t n, real scale, real rate, real momentum, int nesterov, const real *g, real *v, real *w))
/* with G = scale g: m = b1 m + c1 G; v = b2 v + c2 G^2; w -= rate * m / (sqrt(v * correction) + epsilon);
 * c = 1 - b, given because a float b has lost the digits of it */
KERNEL(void, adam_step, (size_t n, real scale, real rate, real correction, real b1, real c1, real b2, real c2,
                         real epsilon, const real *g, real *m, real *v, real *w))

/* ==== root_ops: Cholesky factors, lower triangles of row-major n x n matrices, rows ld apart, without alignment. What
 * lies above the diagonal is neither read nor written. The log determinant of A is 2 sum_i log L[i,i]. ==== */
/* L with L L' = A, in place of A; 0, or the number, from 1, of the first pivot that is not positive, normal and
 * finite: A is not positive definite, or nearly not, and columns from that pivot's block on are lost. The columns from
 * first to last alone, if those before are done; both multiples of FMLP_PANEL, or last >= n */
KERNEL(size_t, cholesky_factor, (size_t n, real *A, size_t ld, size_t first, size_t last))
/* each of m rows b of B becomes L^-1 b; then or else L'^-1 b */
KERNEL(void, cholesky_forward, (size_t n, const real *L, size_t ld, size_t m, real *B, size_t ldb))
KERNEL(void, cholesky_backward, (size_t n, const real *L, size_t ld, size_t m, real *B, size_t ldb))
/* panels of an upper triangle S, or with lower of S', (n + FMLP_PANEL) (n + 2 FMLP_PANEL) / 2 numbers at most; some
 * zeros below its diagonal are read */
KERNEL(void, pack_root, (int lower, size_t n, const real *S, size_t lds, real *panels))
/* sums[i] = |S'j|^2 for the m rows j of J, S upper; the work space V has m FMLP_PANEL numbers */
KERNEL(void, root_squares, (size_t n, const real *panels, size_t m, const real *J, size_t ldj, real *V, real *sums))
/* P = J S, or with lower J S', for m rows; V as before */
KERNEL(void, root_products, (int lower, size_t n, const real *panels, size_t m, const real *J, size_t ldj, real *V,
                             real *P, size_t ldp))

/* ==== image_ops: images ==== */
/* out[p] = image[M p + o + u(p)], p = (row, column), bilinear, zeros outside; u (2, h, w) may be NULL; the work space
 * framed has (h + 3) (w + 3) < 2^31 numbers, zeros or what an image of that size has left */
KERNEL(void, warp, (size_t h, size_t w, const real *image, const double *M, const double *o, const real *u, real *framed,
                    real *out))
/* out[j * ld_out + i] = sum_k g[|k|] field[(i + k) * ld + j]: along the columns of h x w numbers, zeros outside, and
 * transposed; ld is a multiple of 16, numbers beyond w are finite */
KERNEL(void, smooth, (size_t h, size_t w, const real *field, size_t ld, const double *g, size_t radius, real *out,
                      size_t ld_out))
