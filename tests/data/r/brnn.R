structure(list(theta = list(c(-0x1.c417f7ec44e91p-2, 0x1.69708d4b142f1p-4, 
-0x1.90c67451c45cap-2, -0x1.c48b75fc81bap-5), c(0x1.83240458d0d5ep-1, 
0x1.c0c13df272557p-4, 0x1.69421fe202225p-1, 0x1.acc6b0a8427f9p-3
)), alpha = 0x1.6c2e05042cd59p-1, beta = 0x1.56ba07a29e924p+1, 
    gamma = 0x1.0e4979e55fd0cp+1, Ed = 0x1.d3607acf3ea61p-1, 
    Ew = 0x1.7bff0b9de0b41p+0, F_history = c(0x0p+0, 0x1.bf1184ef9d3fap+1, 
    0x1.97f1f85f769eap+1, 0x1.8cdc885d39cbep+1, 0x1.b417efa585d0cp+1, 
    0x1.9b4689f6bba47p+1, 0x1.b1919fa5474f8p+1, 0x1.a1c6223cb8a6p+1, 
    0x1.b4e31194a56a3p+1, 0x1.ac44ee8983325p+1, 0x1.b97d4b59ca9adp+1, 
    0x1.b56321d179d93p+1, 0x1.bdc9fcad9528ep+1, 0x1.baf948f5bc965p+1, 
    0x1.ba449d9e9160ap+1, 0x1.be825cb92b1dp+1, 0x1.be944f280908ep+1, 
    0x1.bfe477868bd66p+1, 0x1.bf6930bff1d18p+1, 0x1.bec84a808eebfp+1, 
    0x1.bfe9bd545bf0ep+1, 0x1.bff76186137bep+1, 0x1.bfd99bafe818ep+1, 
    0x1.bffe824d7c4c4p+1, 0x1.bfff7222f5943p+1, 0x1.bffff8b6b43e6p+1, 
    0x1.bfffbcc4f9daap+1), reason = "Changes in F= beta*SCE + alpha*Ew in last 3 iterations less than 0.001", 
    epoch = 0x1.cp+4, neurons = 0x1p+1, p = 2L, n = 7L, npar = 0x1p+3, 
    x_normalized = structure(c(-0x1p+0, -0x1.d37a6f4de9bd3p-1, 
    0x1.bd37a6f4de9cp-2, 0x1.e9bd37a6f4decp-2, 0x1p+0, 0x1.bd37a6f4de9c2p-1, 
    0x1.a6f4de9bd37a6p-1, -0x1p+0, -0x1p+0, 0x1.642c8590b216p-5, 
    0x1.90b21642c8594p-2, 0x1p+0, 0x1.a6f4de9bd37a6p-1, 0x1.d37a6f4de9bd4p-1
    ), dim = c(7L, 2L), dimnames = list(c("1", "31", "51", "71", 
    "101", "121", "141"), c("Petal.Length", "Petal.Width"))), 
    x_base = c(Petal.Length = 0x1.6666666666666p+0, Petal.Width = 0x1.999999999999ap-3
    ), x_spread = c(Petal.Length = 0x1.2666666666666p+2, Petal.Width = 0x1.2666666666666p+1
    ), y_base = 0x1.3333333333333p+2, y_spread = 0x1.199999999999ap+1, 
    y = c(`1` = 0x1.4666666666666p+2, `31` = 0x1.3333333333333p+2, 
    `51` = 0x1.cp+2, `71` = 0x1.799999999999ap+2, `101` = 0x1.9333333333333p+2, 
    `121` = 0x1.b99999999999ap+2, `141` = 0x1.acccccccccccdp+2
    ), normalize = TRUE, call = brnn.formula(formula = Sepal.Length ~ 
        Petal.Length + Petal.Width, data = some, neurons = 0x1p+1), 
    terms = Sepal.Length ~ Petal.Length + Petal.Width, coefnames = c("Petal.Length", 
    "Petal.Width"), xlevels = structure(list(), names = character(0))), class = c("brnn.formula", 
"brnn"))
