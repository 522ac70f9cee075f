"""What a graph saves, and how to keep it elsewhere: hooks, disk, CPU, and computing it again."""

import os
import tempfile
import uuid

import torch
from torch.utils.checkpoint import checkpoint

x = torch.randn(5, requires_grad=True)
y = x.pow(2)
print(x.equal(y.grad_fn._saved_self))
y = x.exp()
print(y.equal(y.grad_fn._saved_result), y is y.grad_fn._saved_result)

packed = []
with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
    z = (torch.ones(3, requires_grad=True) ** 2).sum()
print(len(packed))

tmp_dir = tempfile.mkdtemp()


class SelfDeletingTempFile:
    def __init__(self):
        self.name = os.path.join(tmp_dir, str(uuid.uuid4()))

    def __del__(self):
        os.remove(self.name)


def pack_hook(tensor):
    temp_file = SelfDeletingTempFile()
    torch.save(tensor, temp_file.name)
    return temp_file


def unpack_hook(temp_file):
    return torch.load(temp_file.name)


torch.manual_seed(0)
a = torch.randn(5, 7, requires_grad=True)
b = torch.randn(7, 3)
with torch.autograd.graph.saved_tensors_hooks(pack_hook, unpack_hook):
    loss = torch.tanh(a @ b).exp().sum()
loss.backward()
stored, a.grad = a.grad, None
torch.tanh(a @ b).exp().sum().backward()
print(torch.allclose(stored, a.grad))
del loss
print(os.listdir(tmp_dir))
os.rmdir(tmp_dir)

with torch.autograd.graph.save_on_cpu():
    loss = (a * a).sum()
a.grad = None
loss.backward()
print(torch.allclose(a.grad, 2 * a))

try:
    with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass
except RuntimeError as error:
    print(error)

net = torch.nn.Sequential(torch.nn.Linear(7, 7), torch.nn.Tanh(), torch.nn.Dropout(0.5))
h = torch.randn(2, 7, requires_grad=True)
torch.manual_seed(1)
checkpoint(net, h, use_reentrant=False).sum().backward()
again, h.grad = h.grad, None
torch.manual_seed(1)
net(h).sum().backward()
print(torch.allclose(again, h.grad))

seen = []
with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
    w = torch.ones(2, requires_grad=True)
    edge = torch.autograd.graph.get_gradient_edge((w * w).sum())
print(edge.node.name().startswith("Sum"), edge.output_nr, len(seen))
