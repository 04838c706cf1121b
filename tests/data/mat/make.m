addpath netlab; randn('seed', 1); rand('seed', 1); mkdir out;
X = randn(5, 3);
for each = {'linear', 'logistic', 'softmax'}
  net = mlp(3, 4, 2, each{1}, 0.01); y = mlpfwd(net, X);
  save('-v7', ['out/netlab-' each{1} '.mat'], 'net', 'X', 'y');
end
net = mlp(3, 4, 1, 'linear', 0.01, 50); y = mlpfwd(net, X); save('-v6', 'out/netlab-v6.mat', 'net', 'X', 'y');
net = glm(3, 2, 'softmax', 0.1); a = X*net.w1 + ones(5,1)*net.b1; y = exp(a)./sum(exp(a), 2); save('-v7', 'out/netlab-glm.mat', 'net', 'X', 'y');
nets(1) = mlp(3, 2, 1, 'linear'); nets(2) = mlp(3, 2, 1, 'linear'); model.net = mlp(3, 3, 1, 'logistic'); model.name = 'a'; cells = {1, mlp(3, 2, 2, 'linear')};
y1 = mlpfwd(nets(2), X); y2 = mlpfwd(model.net, X); y3 = mlpfwd(cells{2}, X);
save('-v7', 'out/netlab-several.mat', 'nets', 'model', 'cells', 'X', 'y1', 'y2', 'y3');
% the constants of a function of genFunction, in its layout, and its arithmetic: columns are samples
x = 100 + 20*randn(3, 5); x(3,:) = x(3,:)/1e4;
x1_step1.xoffset = min(x, [], 2); x1_step1.gain = 2./(max(x, [], 2) - min(x, [], 2)); x1_step1.ymin = -1;
b1 = randn(4,1); IW1_1 = randn(4,3); b2 = randn(2,1); LW2_1 = randn(2,4);
y1_step1.ymin = -1; y1_step1.gain = [0.5; 1e-3]; y1_step1.xoffset = [10; -300];
xp1 = bsxfun(@minus, x, x1_step1.xoffset); xp1 = bsxfun(@times, xp1, x1_step1.gain); xp1 = bsxfun(@plus, xp1, x1_step1.ymin);
Q = size(x, 2); a1 = 2 ./ (1 + exp(-2*(repmat(b1,1,Q) + IW1_1*xp1))) - 1; a2 = repmat(b2,1,Q) + LW2_1*a1;
y = bsxfun(@minus, a2, y1_step1.ymin); y = bsxfun(@rdivide, y, y1_step1.gain); y = bsxfun(@plus, y, y1_step1.xoffset);
X = x'; Y = y';
save('-v7', 'out/genfunction.mat', 'x1_step1', 'b1', 'IW1_1', 'b2', 'LW2_1', 'y1_step1', 'X', 'Y');
clear x1_step1 y1_step1
x1_step1.keep = [1 3]; x1_step1.xrows = 4; x1_step2.xoffset = [1; 2]; x1_step2.gain = [3; 0.5]; x1_step2.ymin = -1;
b1 = randn(3,1); IW1_1 = randn(3,2); b2 = randn(2,1); LW2_1 = randn(2,3); b3 = randn(3,1); LW3_2 = randn(3,2);
X = randn(5, 4); xp1 = (X(:, [1 3])' - x1_step2.xoffset) .* x1_step2.gain + x1_step2.ymin;
a = b3 + LW3_2*(1 ./ (1 + exp(-(b2 + LW2_1*tanh(b1 + IW1_1*xp1))))); Y = (exp(a)./sum(exp(a), 1))';
save('-v7', 'out/genfunction-deep.mat', 'x1_step1', 'x1_step2', 'b1', 'IW1_1', 'b2', 'LW2_1', 'b3', 'LW3_2', 'X', 'Y');
save('out/text.mat', 'b1'); save('-hdf5', 'out/hdf5.mat', 'b1'); save('-v4', 'out/v4.mat', 'b1'); 
