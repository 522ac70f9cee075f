"""Hooks on modules and tensors, clipping, a scheduler, a checkpoint and the way back."""

import io
import os
import tempfile

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 3))
norms = {}
for name, module in net.named_children():
    module.register_forward_hook(
        lambda module, args, output, name=name: (
            output.register_hook(lambda grad: norms.__setitem__(name, grad.norm().item())) and None
        )
    )
x, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(
    net.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-3, nesterov=True
)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
for step in range(12):
    optimizer.zero_grad(set_to_none=True)
    loss = criterion(net(x), target)
    loss.backward()
    total = torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm=0.5)
    optimizer.step()
    scheduler.step()
    if step % 4 == 0:
        print(f"{loss.item():.5f} {total.item():.5f} {scheduler.get_last_lr()}")
print({name: round(norm, 5) for name, norm in sorted(norms.items())})

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "net.pt")
    torch.save(net.state_dict(), path)
    again = nn.Sequential(
        nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 3)
    )
    print(again.load_state_dict(torch.load(path)))
    print(torch.equal(net(x), again(x)))
buffer = io.BytesIO()
torch.save({"epoch": 3, "weights": net[0].weight}, buffer)
buffer.seek(0)
print(torch.load(buffer)["epoch"])
