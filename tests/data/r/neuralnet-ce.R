structure(list(call = neuralnet(formula = (Species == "versicolor") ~ 
    Petal.Length, data = two, hidden = 0x1p+1, threshold = 0x1p-1, 
    rep = 0x1p+1, err.fct = "ce", linear.output = FALSE), response = structure(c(TRUE, 
TRUE, FALSE, FALSE, FALSE), dim = c(5L, 1L), dimnames = list(
    c("51", "71", "101", "121", "141"), "Species == \"versicolor\"")), 
    covariate = structure(c(0x1.2cccccccccccdp+2, 0x1.3333333333333p+2, 
    0x1.8p+2, 0x1.6cccccccccccdp+2, 0x1.6666666666666p+2), dim = c(5L, 
    1L), dimnames = list(NULL, "")), model.list = list(response = "Species == \"versicolor\"", 
        variables = "Petal.Length"), err.fct = structure(function (x, 
        y) 
    {
        -(y * log(x) + (0x1p+0 - y) * log(0x1p+0 - x))
    }, type = "ce"), act.fct = structure(function (x) 
    {
        0x1p+0/(0x1p+0 + exp(-x))
    }, type = "logistic"), linear.output = FALSE, data = structure(list(
        Sepal.Length = c(0x1.cp+2, 0x1.799999999999ap+2, 0x1.9333333333333p+2, 
        0x1.b99999999999ap+2, 0x1.acccccccccccdp+2), Sepal.Width = c(0x1.999999999999ap+1, 
        0x1.999999999999ap+1, 0x1.a666666666666p+1, 0x1.999999999999ap+1, 
        0x1.8cccccccccccdp+1), Petal.Length = c(0x1.2cccccccccccdp+2, 
        0x1.3333333333333p+2, 0x1.8p+2, 0x1.6cccccccccccdp+2, 
        0x1.6666666666666p+2), Petal.Width = c(0x1.6666666666666p+0, 
        0x1.ccccccccccccdp+0, 0x1.4p+1, 0x1.2666666666666p+1, 
        0x1.3333333333333p+1), Species = structure(c(1L, 1L, 
        2L, 2L, 2L), levels = c("versicolor", "virginica"), class = "factor")), row.names = c(51L, 
    71L, 101L, 121L, 141L), class = "data.frame"), exclude = NULL, 
    net.result = list(structure(c(0x1.e8d3b81ee7498p-2, 0x1.e8baf10a02fe4p-2, 
    0x1.e7de704b2af6p-2, 0x1.e80aa240acb25p-2, 0x1.e81ac13952844p-2
    ), dim = c(5L, 1L)), structure(c(0x1.60d90cae367fp-2, 0x1.60d3e4f15af2dp-2, 
    0x1.60b9f13d97a43p-2, 0x1.60bc99f59fc6p-2, 0x1.60bdd971f7adep-2
    ), dim = c(5L, 1L))), weights = list(list(structure(c(0x1.7b6fe440be8eap+0, 
    -0x1.abe5a603925d1p-1, -0x1.52c3191cf0513p-1, 0x1.3b76d949fa659p+0
    ), dim = c(2L, 2L)), structure(c(-0x1.cd83584793f44p-2, -0x1.e3b45463fe8ap-8, 
    -0x1.8adee23ae701bp-3), dim = c(3L, 1L)))), generalized.weights = list(
        structure(c(-0x1.fd4d972005b86p-9, -0x1.e422345824d6ep-9, 
        -0x1.13c527fe2fa4ap-9, -0x1.3bce63f791f24p-9, -0x1.4a92a9e35ee26p-9
        ), dim = c(5L, 1L)), structure(c(-0x1.eaf91273186ap-11, 
        -0x1.a79f90c1f3288p-11, -0x1.d707ba8cbcf6cp-14, -0x1.953dbe9fb984ap-13, 
        -0x1.e0e2af9ee9e61p-13), dim = c(5L, 1L))), startweights = list(
        list(structure(c(-0x1.d26452838097fp-1, 0x1.43a496ca6b948p-3, 
        -0x1.4f25b7ec30b49p-1, 0x1.c46cf04097b86p+0), dim = c(2L, 
        2L)), structure(c(0x1.6ef4484495d01p-1, 0x1.d2025b4ab020bp-1, 
        0x1.8967e2eddd659p-2), dim = c(3L, 1L))), list(structure(c(0x1.aea31773f1c1ep+0, 
        -0x1.457f3f9d2bf6bp-1, -0x1.d8b9656d13d59p-2, 0x1.6eaa0c7d2d98dp+0
        ), dim = c(2L, 2L)), structure(c(-0x1.4d28128a30608p-1, 
        -0x1.a8b73c3cb98dfp-3, -0x1.923c3dea404dbp-2), dim = c(3L, 
        1L)))), result.matrix = structure(c(0x1.b5e8bcf9542c4p+1, 
    0x1.8a2e1c028e3c7p-2, 0x1.cp+2, -0x1.82cbc2db59e5bp+0, -0x1.c4941b01309c2p-2, 
    -0x1.44e8474859aa6p-1, 0x1.a46cf04097b86p+0, 0x1.de08a88b14e74p-4, 
    0x1.3d9e502ef9db2p-2, -0x1.b9fd06f11201dp-3, 0x1.b2ecbd747abbep+1, 
    0x1.1c1ea9bb3f762p-2, 0x1.8p+1, 0x1.7b6fe440be8eap+0, -0x1.abe5a603925d1p-1, 
    -0x1.52c3191cf0513p-1, 0x1.3b76d949fa659p+0, -0x1.cd83584793f44p-2, 
    -0x1.e3b45463fe8ap-8, -0x1.8adee23ae701bp-3), dim = c(10L, 
    2L), dimnames = list(c("error", "reached.threshold", "steps", 
    "Intercept.to.1layhid1", "Petal.Length.to.1layhid1", "Intercept.to.1layhid2", 
    "Petal.Length.to.1layhid2", "Intercept.to.Species == \"versicolor\"", 
    "1layhid1.to.Species == \"versicolor\"", "1layhid2.to.Species == \"versicolor\""
    ), NULL))), class = "nn")
