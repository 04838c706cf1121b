#!/usr/bin/env bash
# FANN 2.2.0 (Debian 2.2.0+ds-8): the mean squared error of symmetric output activations is a quarter of what it is called.
#
# `fann_test_data` and `fann_get_MSE`, by which training stops, halve each difference where the range is from -1 to 1. The
# same predictions by a linear output have four times the error.
# Guessed before the run: the mean of the squared differences, for every activation.
# Seen: ratio 1 for linear, sigmoid, Gaussian, Elliot, sine; 4 for all that are called symmetric.
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

static double ratio(enum fann_activationfunc_enum activation) {
    struct fann *net = fann_create_standard(2, 1u, 2u);
    struct fann_train_data *data = fann_create_train(5, 1, 2);
    double sum = 0;
    fann_randomize_weights(net, -1, 1);
    fann_set_activation_function_output(net, activation);
    for (int i = 0; i < 5; i++) {
        data->input[i][0] = 0.3 * i - 0.6;
        data->output[i][0] = 0.3;
        data->output[i][1] = 0.6;
    }
    double told = fann_test_data(net, data);
    for (int i = 0; i < 5; i++) {
        double *y = fann_run(net, data->input[i]);
        for (int k = 0; k < 2; k++) sum += pow(y[k] - data->output[i][k], 2);
    }
    fann_destroy_train(data);
    fann_destroy(net);
    return sum / 10 / told;
}

int main(void) {
    enum fann_activationfunc_enum plain[] = {FANN_LINEAR, FANN_SIGMOID, FANN_GAUSSIAN, FANN_ELLIOT, FANN_SIN};
    enum fann_activationfunc_enum symmetric[] = {FANN_SIGMOID_SYMMETRIC, FANN_GAUSSIAN_SYMMETRIC, FANN_ELLIOT_SYMMETRIC,
                                                 FANN_LINEAR_PIECE_SYMMETRIC, FANN_SIN_SYMMETRIC};
    int wrong = 0;
    for (int i = 0; i < 5; i++) {
        double a = ratio(plain[i]), b = ratio(symmetric[i]);
        printf("%s %.3f, %s %.3f\n", FANN_ACTIVATIONFUNC_NAMES[plain[i]], a, FANN_ACTIVATIONFUNC_NAMES[symmetric[i]], b);
        wrong += fabs(a - 1) > 1e-5 || fabs(b - 4) > 1e-5;
    }
    return wrong;
}
PROGRAM
lib=$(dirname "$(find root -name libdoublefann.a)")
cc -no-pie program.c -Iroot/usr/include "$lib/libdoublefann.a" -lm -o program
./program
