"""Functions with backward: linear, exp, a cube with two derivatives, straight-through, in place."""

import torch
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.autograd.function import once_differentiable


class LinearFunction(Function):
    @staticmethod
    def forward(input, weight, bias):
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx, inputs, output):
        input, weight, bias = inputs
        ctx.save_for_backward(input, weight, bias)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class Exp(Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


class Cube(Function):
    @staticmethod
    def forward(x):
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx, inputs, output):
        (x,) = inputs
        result, dx = output
        ctx.save_for_backward(x, dx)

    @staticmethod
    def backward(ctx, grad_output, grad_dx):
        x, dx = ctx.saved_tensors
        return grad_output * dx + grad_dx * 6 * x


class Sign(Function):
    """Straight through: the sign forward, the identity backward."""

    @staticmethod
    def forward(ctx, x):
        return x.sign()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output):
        return grad_output.clone()


class Double(Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, grad_output):
        return 2 * grad_output


class MulConstant(Function):
    @staticmethod
    def forward(ctx, tensor, constant):
        ctx.set_materialize_grads(False)
        ctx.constant = constant
        return tensor * constant

    @staticmethod
    def backward(ctx, grad_output):
        if grad_output is None:
            return None, None
        return grad_output * ctx.constant, None


torch.manual_seed(0)
x = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
w = torch.randn(2, 3, dtype=torch.double, requires_grad=True)
b = torch.randn(2, dtype=torch.double, requires_grad=True)
print(gradcheck(LinearFunction.apply, (x, w, b), eps=1e-6, atol=1e-4))
print(gradcheck(LinearFunction.apply, (x, w, None), eps=1e-6, atol=1e-4))
print(gradcheck(Exp.apply, x), gradgradcheck(Exp.apply, x))
print(gradcheck(lambda t: Cube.apply(t)[0], x), gradgradcheck(lambda t: Cube.apply(t)[0], x))
print(Exp.apply(x).grad_fn.name())

s = Sign.apply(x)
s.sum().backward()
print(x.grad.eq(1).all().item())
try:
    (g,) = torch.autograd.grad(Sign.apply(x).sum(), x, create_graph=True)
    g.sum().backward()
except RuntimeError as error:
    print("once_differentiable" in str(error))

y = x.clone()
z = Double.apply(y)
x.grad = None
(z * z).sum().backward()
print(torch.allclose(x.grad, 8 * x), z is y)
x.grad = None
MulConstant.apply(x, 5.5).sum().backward()
print(x.grad[0])
