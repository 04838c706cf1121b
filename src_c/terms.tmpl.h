/* What tiles sum up, and what becomes of the sums. */

/* What is done to a tile before it is stored: C = (sum + C + bias[i bias_step]) * factor[i,:], each where it is given.
 * The bias comes last: a large one would round every partial sum. */
typedef struct {
    int add;
    const real *bias, *factor;
    size_t bias_step;
} NAME(finish);

/* The terms of a sum: a box, count[0] x count[1] x count[2], and how far its steps lead in W and in B. A dense layer's is a
 * line; that of a convolution has channels, rows and columns of a window. */
typedef struct {
    size_t count[3];
    size_t in_W[3], in_B[3]; /* these wrap, so that there are steps back */
    size_t ahead;            /* how far beyond each step's weights their row is fetched, in numbers; 0: it is not */
} NAME(terms);
