"""Training steps of whole networks: forward, backward, and an update by SGD."""

from typing import Any

from benchmarks.work import Step, Work


def mlp(torch: Any, batch: int) -> Step:
    """784-256-128-10, the usual first network for MNIST."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 256),
        torch.nn.ReLU(),
        torch.nn.Linear(256, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    )
    return training_step(torch, net, torch.randn(batch, 784))


def textbook_cnn(torch: Any, batch: int) -> Step:
    """The network of COS 324, section 12.4, on 3x32x32 images."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 3, 5),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, 2),
        torch.nn.Conv2d(3, 16, 5),
        torch.nn.ReLU(),
        torch.nn.AvgPool2d(2, 2),
        torch.nn.Flatten(),
        torch.nn.Linear(16 * 5 * 5, 120),
        torch.nn.ReLU(),
        torch.nn.Linear(120, 10),
    )
    return training_step(torch, net, torch.randn(batch, 3, 32, 32))


def mnist_cnn(torch: Any, batch: int) -> Step:
    """Conv(1, 32) - Conv(32, 64) on 1x28x28 images."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(32, 64, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64 * 5 * 5, 10),
    )
    return training_step(torch, net, torch.randn(batch, 1, 28, 28))


def training_step(torch: Any, net: Any, images: Any) -> Step:
    """One step on these images, with labels drawn by lot."""
    labels = torch.randint(0, 10, (len(images),))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return step


WORKS = [
    Work(f"{name}, batch {batch}", setup, {"batch": batch}, {"torch": aim}, small={"batch": 1})
    for name, setup, batch, aim in [
        ("mlp 784-256-128-10", mlp, 64, 1.0),
        ("mlp 784-256-128-10", mlp, 512, 1.0),
        ("textbook cnn", textbook_cnn, 8, 1.3),
        ("textbook cnn", textbook_cnn, 128, 1.3),
        ("28x28 cnn", mnist_cnn, 64, 2.5),
    ]
]
