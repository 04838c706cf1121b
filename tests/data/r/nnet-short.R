list(n = c(0x1p+2, 0x1p+1, 0x1.8p+1), wts = c(0x1.aa0606d3ab573p-3, 
0x1.056729a750d72p-1, 0x1.61a3ef0c9723bp-1, -0x1.cd656e31417bcp-1, 
-0x1.e6bfe69676c5ap-1, -0x1.b151dc16fb5acp-3, -0x1.17db9f404e6b6p-2, 
-0x1.6915c7e30e71ep-1, 0x1.117d8c24e4bc2p+0, 0x1.2a042a10e19bap-1, 
0x1.d8c5a29581211p-4, 0x1.748dda36a6c0fp+0, -0x1.cccedec950261p+0, 
-0x1.6a62aa8d1407p-2, 0x1.04fcd3270d1bcp-2, 0x1.45393fedbf1acp-1, 
0x1.e84761e3478b4p-3, -0x1.b5cb0a4c1b8p+0, 0x1.2a34257129112p+0
), softmax = TRUE, entropy = FALSE)
