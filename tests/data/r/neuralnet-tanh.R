structure(list(call = neuralnet(formula = (Species == "versicolor") ~ 
    Petal.Length + Petal.Width, data = two, hidden = 0x1p+1, 
    threshold = 0x1p-1, stepmax = 0x1.e848p+19, act.fct = "tanh", 
    linear.output = FALSE), response = structure(c(TRUE, TRUE, 
FALSE, FALSE, FALSE), dim = c(5L, 1L), dimnames = list(c("51", 
"71", "101", "121", "141"), "Species == \"versicolor\"")), covariate = structure(c(0x1.2cccccccccccdp+2, 
0x1.3333333333333p+2, 0x1.8p+2, 0x1.6cccccccccccdp+2, 0x1.6666666666666p+2, 
0x1.6666666666666p+0, 0x1.ccccccccccccdp+0, 0x1.4p+1, 0x1.2666666666666p+1, 
0x1.3333333333333p+1), dim = c(5L, 2L), dimnames = list(c("51", 
"71", "101", "121", "141"), c("Petal.Length", "Petal.Width"))), 
    model.list = list(response = "Species == \"versicolor\"", 
        variables = c("Petal.Length", "Petal.Width")), err.fct = structure(function (x, 
        y) 
    {
        0x1p+0/0x1p+1 * (y - x)^0x1p+1
    }, type = "sse"), act.fct = structure(function (x) 
    {
        tanh(x)
    }, type = "tanh"), linear.output = FALSE, data = structure(list(
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
    net.result = list(structure(c(0x1.6535fd6d6e7f1p-2, 0x1.6535dabf2fe72p-2, 
    0x1.65351446fd844p-2, 0x1.653522983755ep-2, 0x1.65352998c9556p-2
    ), dim = c(5L, 1L), dimnames = list(c("51", "71", "101", 
    "121", "141"), NULL))), weights = list(list(structure(c(0x1.9a099d2709acbp-3, 
    0x1.163ab79f739e3p+0, 0x1.df1eeca2036e8p-5, -0x1.75664c8987163p+0, 
    -0x1.82b225fbe5071p-1, -0x1.6817c3ab2125bp+0), dim = 3:2), 
        structure(c(0x1.b3cdd1259ac38p-6, -0x1.ed059be34af6cp-4, 
        -0x1.d4df9398cfe5cp-2), dim = c(3L, 1L)))), generalized.weights = list(
        structure(c(-0x1.3a0c72a589861p-15, -0x1.0437fe93c409ep-15, 
        -0x1.22684d94d0683p-19, -0x1.1bbe9ee3e3f93p-18, -0x1.5e74fffaf6e35p-18, 
        0x1.ad5ae521fea82p-18, 0x1.6c21d74776d1p-21, -0x1.0e690e28328e8p-24, 
        -0x1.56f3c0088345p-24, -0x1.4517e7e4cdc76p-23), dim = c(5L, 
        2L), dimnames = list(c("51", "71", "101", "121", "141"
        ), NULL))), startweights = list(list(structure(c(0x1.66826749c26b2p-1, 
    0x1.963ab79f739e5p+0, 0x1.1df1eeca2036ep-1, -0x1.46cebf39a7dacp+0, 
    -0x1.25830b5c26904p-1, -0x1.3980365b41ea4p+0), dim = 3:2), 
        structure(c(-0x1.e4c322eda653dp-2, -0x1.3da0b37c695edp-1, 
        0x1.5903633980d1dp-5), dim = c(3L, 1L)))), result.matrix = structure(c(0x1.368c7c2606087p-1, 
    0x1.cc275e813ee2ap-3, 0x1.8p+2, 0x1.9a099d2709acbp-3, 0x1.163ab79f739e3p+0, 
    0x1.df1eeca2036e8p-5, -0x1.75664c8987163p+0, -0x1.82b225fbe5071p-1, 
    -0x1.6817c3ab2125bp+0, 0x1.b3cdd1259ac38p-6, -0x1.ed059be34af6cp-4, 
    -0x1.d4df9398cfe5cp-2), dim = c(12L, 1L), dimnames = list(
        c("error", "reached.threshold", "steps", "Intercept.to.1layhid1", 
        "Petal.Length.to.1layhid1", "Petal.Width.to.1layhid1", 
        "Intercept.to.1layhid2", "Petal.Length.to.1layhid2", 
        "Petal.Width.to.1layhid2", "Intercept.to.Species == \"versicolor\"", 
        "1layhid1.to.Species == \"versicolor\"", "1layhid2.to.Species == \"versicolor\""
        ), NULL))), class = "nn")
