#!/usr/bin/env bash
# FANN 2.2.0 (Debian 2.2.0+ds-8): the derivatives of sine and cosine take the steepness twice, and may have the wrong sign.
#
# f(z) = sin(s z) is trained with s cos(s^2 z) in place of s cos(s z), s = 0.5 by default; cosine likewise. Other smooth
# activations have a constant factor of their own, which a learning rate takes up (Gaussian: a half).
# Guessed before the run: the derivative of what `fann_run` computes, up to a constant, but where a sigmoid saturates.
# Seen: step over slope at z = 0.1, 1.2, 3: sigmoid and Gaussian constant; sine 1.00, 1.16, 10.3; at z = 8 cosine -1.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq libfann2=2.2.0+ds-8 libfann-dev=2.2.0+ds-8 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
cat >program.c <<'PROGRAM'
#include <doublefann.h>
#include <math.h>
#include <stdio.h>

/* The change of a weight that one training step makes, over what the slope of the output asks for. */
static double ratio(enum fann_activationfunc_enum activation, double z) {
    const double h = 1e-5, rate = 1e-3, error = 0.25;
    struct fann *net = fann_create_standard(2, 1u, 1u);
    struct fann_connection connections[2];
    double x = 1, y[3], target;
    fann_set_activation_function_output(net, activation);
    fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    fann_set_training_algorithm(net, FANN_TRAIN_INCREMENTAL);
    fann_set_learning_rate(net, rate);
    fann_set_learning_momentum(net, 0);
    fann_get_connection_array(net, connections);
    connections[1].weight = 0;
    for (int s = 0; s < 3; s++) {
        connections[0].weight = z + (s - 1) * h;
        fann_set_weight_array(net, connections, 2);
        y[s] = fann_run(net, &x)[0];
    }
    connections[0].weight = z;
    fann_set_weight_array(net, connections, 2);
    target = y[1] + error;
    fann_train(net, &x, &target);
    fann_get_connection_array(net, connections);
    fann_destroy(net);
    return (connections[0].weight - z) / (rate * error) / ((y[2] - y[0]) / (2 * h));
}

int main(void) {
    enum fann_activationfunc_enum kinds[] = {FANN_SIGMOID, FANN_GAUSSIAN, FANN_SIN, FANN_COS};
    const double at[] = {0.1, 1.2, 3, 8};
    int wrong = 0;
    for (int k = 0; k < 4; k++) {
        double found[4];
        for (int i = 0; i < 4; i++) found[i] = ratio(kinds[k], at[i]);
        printf("%s at z = 0.1, 1.2, 3, 8: %.3f %.3f %.3f %.3f\n", FANN_ACTIVATIONFUNC_NAMES[kinds[k]], found[0], found[1],
               found[2], found[3]);
        if (k < 2) wrong += fabs(found[1] / found[0] - 1) > 1e-5 || fabs(found[2] / found[0] - 1) > 1e-5;
        if (k == 2) /* sin: cos(z / 4) over cos(z / 2) */
            for (int i = 0; i < 4; i++) wrong += fabs(found[i] * cos(at[i] / 2) / cos(at[i] / 4) - 1) > 1e-4;
        if (k == 3) wrong += !(found[3] < -1);
    }
    return wrong;
}
PROGRAM
lib=$(dirname "$(find root -name libdoublefann.a)")
cc -no-pie program.c -Iroot/usr/include "$lib/libdoublefann.a" -lm -o program
./program
