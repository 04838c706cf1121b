structure(list(call = neuralnet(formula = Sepal.Length ~ Petal.Length + 
    Petal.Width, data = some, hidden = c(0x1.8p+1, 0x1p+1), threshold = 0x1.999999999999ap-4, 
    stepmax = 0x1.e848p+19), response = structure(c(0x1.4666666666666p+2, 
0x1.3333333333333p+2, 0x1.cp+2, 0x1.799999999999ap+2, 0x1.9333333333333p+2, 
0x1.b99999999999ap+2, 0x1.acccccccccccdp+2), dim = c(7L, 1L), dimnames = list(
    c("1", "31", "51", "71", "101", "121", "141"), "Sepal.Length")), 
    covariate = structure(c(0x1.6666666666666p+0, 0x1.999999999999ap+0, 
    0x1.2cccccccccccdp+2, 0x1.3333333333333p+2, 0x1.8p+2, 0x1.6cccccccccccdp+2, 
    0x1.6666666666666p+2, 0x1.999999999999ap-3, 0x1.999999999999ap-3, 
    0x1.6666666666666p+0, 0x1.ccccccccccccdp+0, 0x1.4p+1, 0x1.2666666666666p+1, 
    0x1.3333333333333p+1), dim = c(7L, 2L), dimnames = list(c("1", 
    "31", "51", "71", "101", "121", "141"), c("Petal.Length", 
    "Petal.Width"))), model.list = list(response = "Sepal.Length", 
        variables = c("Petal.Length", "Petal.Width")), err.fct = structure(function (x, 
        y) 
    {
        0x1p+0/0x1p+1 * (y - x)^0x1p+1
    }, type = "sse"), act.fct = structure(function (x) 
    {
        0x1p+0/(0x1p+0 + exp(-x))
    }, type = "logistic"), linear.output = TRUE, data = structure(list(
        Sepal.Length = c(0x1.4666666666666p+2, 0x1.3333333333333p+2, 
        0x1.cp+2, 0x1.799999999999ap+2, 0x1.9333333333333p+2, 
        0x1.b99999999999ap+2, 0x1.acccccccccccdp+2), Sepal.Width = c(0x1.cp+1, 
        0x1.8cccccccccccdp+1, 0x1.999999999999ap+1, 0x1.999999999999ap+1, 
        0x1.a666666666666p+1, 0x1.999999999999ap+1, 0x1.8cccccccccccdp+1
        ), Petal.Length = c(0x1.6666666666666p+0, 0x1.999999999999ap+0, 
        0x1.2cccccccccccdp+2, 0x1.3333333333333p+2, 0x1.8p+2, 
        0x1.6cccccccccccdp+2, 0x1.6666666666666p+2), Petal.Width = c(0x1.999999999999ap-3, 
        0x1.999999999999ap-3, 0x1.6666666666666p+0, 0x1.ccccccccccccdp+0, 
        0x1.4p+1, 0x1.2666666666666p+1, 0x1.3333333333333p+1), 
        Species = structure(c(1L, 1L, 2L, 2L, 3L, 3L, 3L), levels = c("setosa", 
        "versicolor", "virginica"), class = "factor")), row.names = c(1L, 
    31L, 51L, 71L, 101L, 121L, 141L), class = "data.frame"), 
    exclude = NULL, net.result = list(structure(c(0x1.8359b9c10b726p+2, 
    0x1.83a4fe19f2f77p+2, 0x1.8821d37e72f7cp+2, 0x1.88729022548cp+2, 
    0x1.88f8065a8e07cp+2, 0x1.88dcce9ea8228p+2, 0x1.88e2504baebf6p+2
    ), dim = c(7L, 1L), dimnames = list(c("1", "31", "51", "71", 
    "101", "121", "141"), NULL))), weights = list(list(structure(c(-0x1.bf18e55b3d08bp+0, 
    -0x1.0872fefba0b4ep+1, -0x1.0ab74e5bee537p-1, -0x1.c97d6aeb3bffcp-4, 
    0x1.54b0b631d917ep-2, 0x1.9faf151d4e29ep-2, -0x1.081c6db35317ap-2, 
    0x1.4daee88052aebp-3, 0x1.7e2af19a2805fp-1), dim = c(3L, 
    3L)), structure(c(0x1.0e0a39378a087p+1, -0x1.3124bc79c37a5p+0, 
    0x1.868a31e866cc2p+0, 0x1.43b992b881b88p+0, 0x1.fea4a6067041ep+0, 
    0x1.c12f5bd805308p-6, 0x1.4d36e3ec72eb1p+0, 0x1.6bcd215ec07b3p+0
    ), dim = c(4L, 2L)), structure(c(0x1.d33093124abaap-1, 0x1.54d8da2e226eap+1, 
    0x1.4ec5834e242ecp+1), dim = c(3L, 1L)))), generalized.weights = list(
        structure(c(-0x1.9663ec0809a04p-11, -0x1.7d4b85dc0b53fp-11, 
        -0x1.5000e11d9fb49p-13, -0x1.0311c1230b43cp-13, -0x1.f2b9d35c9914cp-15, 
        -0x1.2f494580e4f84p-14, -0x1.269f181a576bp-14, -0x1.c19dd8dd07d4ep-10, 
        -0x1.ae87f0435da96p-10, -0x1.aca28bf7322bcp-12, -0x1.43cd643d37d92p-12, 
        -0x1.38713b1f2440fp-13, -0x1.7ce1d22cbd048p-13, -0x1.6d0e890acb3e1p-13
        ), dim = c(7L, 2L), dimnames = list(c("1", "31", "51", 
        "71", "101", "121", "141"), NULL))), startweights = list(
        list(structure(c(-0x1.de420b765dc14p-1, -0x1.40ee1e573341cp+0, 
        0x1.2a70e1c85bf8ep-2, -0x1.c5ee4e083916p-2, 0x1.21c2e46f01f3ap-10, 
        0x1.3080873f904f8p-4, -0x1.2dd5b0805e96ep-1, -0x1.23288c536d2c3p-1, 
        -0x1.14d886989a7aep-3), dim = c(3L, 3L)), structure(c(0x1.2d971c021ff16p+0, 
        -0x1.8608794d1dfffp+0, 0x1.3019b6f6e559cp-1, 0x1.54f0f12e36655p-2, 
        0x1.10274f997c226p+0, -0x1.377bfd8fe9c2fp-2, 0x1.7ae635fdfb2f7p-2, 
        0x1.1182586cabe87p-2), dim = c(4L, 2L)), structure(c(-0x1.15c52f7d116e5p-1, 
        0x1.3536d31496c89p+0, 0x1.291025549a48dp+0), dim = c(3L, 
        1L)))), result.matrix = structure(c(0x1.0e47af88f85afp+1, 
    0x1.7a41903e8b544p-4, 0x1.5p+4, -0x1.bf18e55b3d08bp+0, -0x1.0872fefba0b4ep+1, 
    -0x1.0ab74e5bee537p-1, -0x1.c97d6aeb3bffcp-4, 0x1.54b0b631d917ep-2, 
    0x1.9faf151d4e29ep-2, -0x1.081c6db35317ap-2, 0x1.4daee88052aebp-3, 
    0x1.7e2af19a2805fp-1, 0x1.0e0a39378a087p+1, -0x1.3124bc79c37a5p+0, 
    0x1.868a31e866cc2p+0, 0x1.43b992b881b88p+0, 0x1.fea4a6067041ep+0, 
    0x1.c12f5bd805308p-6, 0x1.4d36e3ec72eb1p+0, 0x1.6bcd215ec07b3p+0, 
    0x1.d33093124abaap-1, 0x1.54d8da2e226eap+1, 0x1.4ec5834e242ecp+1
    ), dim = c(23L, 1L), dimnames = list(c("error", "reached.threshold", 
    "steps", "Intercept.to.1layhid1", "Petal.Length.to.1layhid1", 
    "Petal.Width.to.1layhid1", "Intercept.to.1layhid2", "Petal.Length.to.1layhid2", 
    "Petal.Width.to.1layhid2", "Intercept.to.1layhid3", "Petal.Length.to.1layhid3", 
    "Petal.Width.to.1layhid3", "Intercept.to.2layhid1", "1layhid1.to.2layhid1", 
    "1layhid2.to.2layhid1", "1layhid3.to.2layhid1", "Intercept.to.2layhid2", 
    "1layhid1.to.2layhid2", "1layhid2.to.2layhid2", "1layhid3.to.2layhid2", 
    "Intercept.to.Sepal.Length", "2layhid1.to.Sepal.Length", 
    "2layhid2.to.Sepal.Length"), NULL))), class = "nn")
