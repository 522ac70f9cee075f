"""Module: the tree, its attributes, its modes, its state and its hooks.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch says the same.
"""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from compare import OURS, SUBJECT, array

torch, nn = OURS.torch, OURS.nn
only_ours = pytest.mark.skipif(SUBJECT == "torch", reason="we say more than PyTorch here")


class Net(nn.Module):
    """A small tree: two layers in a row, one beside it, a buffer, a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        self.head = nn.Linear(3, 1, bias=False)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("seen", torch.zeros(2))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x)) * self.scale


class Empty(nn.Module):
    pass


# --- the tree -------------------------------------------------------------------------------------


def test_walks_name_everything_once_in_order() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        "scale",
        "body.0.weight",
        "body.0.bias",
        "head.weight",
    ]
    assert [name for name, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [name for name, _ in net.named_modules()] == ["", "body", "body.0", "body.1", "head"]
    assert [name for name, _ in net.named_children()] == ["body", "head"]
    assert list(net.children()) == [net.body, net.head]
    assert next(net.modules()) is net
    assert len(list(net.parameters())) == 4
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert next(net.named_parameters(prefix="net"))[0] == "net.scale"


def test_what_is_shared_is_met_once() -> None:
    net = Empty()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    net.c = nn.Linear(2, 2)
    net.c.weight = net.a.weight
    assert [name for name, _ in net.named_parameters()] == ["a.weight", "a.bias", "c.bias"]
    every = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert every == ["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"]
    assert len(list(net.modules())) == 3
    assert len(list(net.children())) == 2
    assert len(net.state_dict()) == 6


def test_assignment_sorts_values_into_their_tables() -> None:
    net = Empty()
    net.x = nn.Parameter(torch.ones(2))
    assert dict(net.named_parameters()).keys() == {"x"}
    net.x = None  # keeps the name
    assert net.x is None
    assert list(net.parameters()) == []
    net.x = nn.Parameter(torch.zeros(2))
    with pytest.raises(TypeError, match="as parameter 'x'"):
        net.x = nn.Linear(1, 1)
    del net.x
    net.x = nn.Linear(1, 1)
    net.x = nn.Linear(1, 1)
    assert [name for name, _ in net.named_parameters()] == ["x.weight", "x.bias"]
    net.buffer = nn.Buffer(torch.ones(1))
    net.passing = nn.Buffer(torch.ones(1), persistent=False)
    net.buffer = torch.zeros(1)  # a tensor may replace a buffer
    assert dict(net.named_buffers()).keys() == {"buffer", "passing"}
    assert net.state_dict().keys() == {"x.weight", "x.bias", "buffer"}
    net.number = 3
    assert net.number == 3
    del net.x, net.buffer, net.number
    assert list(net.parameters()) == []
    assert not hasattr(net, "number")


def test_none_is_a_name_without_a_parameter() -> None:
    layer = nn.Linear(2, 2, bias=False)
    assert layer.bias is None
    assert layer.state_dict().keys() == {"weight"}


def test_paths_lead_to_the_parts() -> None:
    net = Net()
    assert net.get_submodule("body.0") is net.body[0]
    assert net.get_submodule("") is net
    assert net.get_parameter("body.0.weight") is net.body[0].weight
    assert net.get_buffer("seen") is net.seen


def test_dir_knows_the_parts() -> None:
    assert {"body", "head", "scale", "seen", "forward"} <= set(dir(Net()))


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    net = Net()
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential", "Linear", "Net"]


ATTRIBUTE_ERRORS = {
    "setattr(net.head, 'weight', torch.zeros(1, 3))": (
        TypeError,
        "as parameter 'weight'",
    ),
    "setattr(net, 'head', 3)": (TypeError, "cannot assign 'int' as child module 'head'"),
    "setattr(net, 'seen', 3)": (TypeError, "cannot assign 'int' as buffer 'seen'"),
    "net.missing": (AttributeError, "'Net' object has no attribute 'missing'"),
    "delattr(net, 'missing')": (AttributeError, "missing"),
    "net.register_parameter('a.b', None)": (KeyError, "parameter name can\\'t contain"),
    "net.register_parameter('', None)": (KeyError, "parameter name can\\'t be empty string"),
    "net.register_parameter(3, None)": (TypeError, "parameter name should be a string. Got int"),
    "net.register_parameter('forward', None)": (KeyError, "attribute 'forward' already exists"),
    "net.register_parameter('x', 3)": (TypeError, "cannot assign 'int' object to parameter 'x'"),
    "net.register_parameter('x', torch.zeros(1))": (TypeError, "object to parameter 'x'"),
    "net.register_buffer('a.b', None)": (KeyError, "buffer name can\\'t contain"),
    "net.register_buffer('head', None)": (KeyError, "attribute 'head' already exists"),
    "net.register_buffer('x', 3)": (TypeError, "cannot assign 'int' object to buffer 'x'"),
    "net.add_module('a.b', None)": (KeyError, "module name can\\'t contain"),
    "net.register_module('train', None)": (KeyError, "attribute 'train' already exists"),
    "net.get_submodule('body.7')": (AttributeError, "Sequential has no attribute `7`"),
    "net.get_submodule('scale')": (AttributeError, "`scale` is not an nn.Module"),
    "net.get_parameter('head.wheight')": (AttributeError, "Linear has no attribute `wheight`"),
    "net.get_parameter('head.in_features')": (AttributeError, "`in_features` is not a"),
    "net.get_buffer('scale')": (AttributeError, "`scale` is not a buffer"),
    "net.train(1)": (ValueError, "training mode is expected to be boolean"),
    "net.to(torch.int64)": (TypeError, "only accepts floating point"),
    "net.to('warp')": (RuntimeError, "device type at start of device string"),
    "Empty()(1)": (NotImplementedError, 'missing the required "forward" function'),
    "net.load_state_dict(3)": (TypeError, "Expected state_dict to be dict-like"),
}


@pytest.mark.parametrize("expression", ATTRIBUTE_ERRORS)
def test_refuses(expression: str) -> None:
    error, words = ATTRIBUTE_ERRORS[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate(expression, {"net": Net(), "Empty": Empty, "setattr": setattr})


def test_a_child_module_must_be_a_module() -> None:
    with pytest.raises(TypeError):
        Net().add_module("x", 3)


def test_parameters_must_be_leaves() -> None:
    with pytest.raises((ValueError, TypeError)):
        Net().register_parameter("x", torch.ones(2, requires_grad=True) * 2)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (nn.ReLU(), "cannot assign module"),
        (nn.Parameter(torch.zeros(1)), "cannot assign parameter"),
        (nn.Buffer(torch.zeros(1)), "cannot assign buffer"),
    ],
)
def test_assignment_before_init(value: Any, words: str) -> None:
    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.part = value

    with pytest.raises(AttributeError, match=words):
        Hasty()


@only_ours
def test_attribute_errors_suggest_the_repair() -> None:
    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.size = 3

    with pytest.raises(AttributeError, match="Did you mean: 'head'"):
        Net().haed  # noqa: B018
    with pytest.raises(AttributeError, match="Did you mean: 'forward'"):
        Net().foward(1)
    with pytest.raises(AttributeError, match=re.escape("call super().__init__() first")):
        Hasty().weight  # noqa: B018
    with pytest.raises(AttributeError, match=re.escape("super().__init__()")):
        Hasty().layer = nn.ReLU()


@only_ours
def test_errors_name_the_module_they_arose_in() -> None:
    net = nn.Sequential(OrderedDict(first=nn.ReLU(), second=Net()))
    with pytest.raises(RuntimeError) as caught:
        net(torch.zeros(4, 5))
    place = "in Sequential, at second.body.0: Linear(in_features=2, out_features=3, bias=True)"
    assert [note for note in caught.value.__notes__ if note.startswith("in ")] == [place]
    assert place in "".join(traceback.format_exception(caught.value))
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(2, 2)(torch.zeros(3))
    assert "in Linear(in_features=2, out_features=2, bias=True)" in caught.value.__notes__


# --- modes, gradients, casts ----------------------------------------------------------------------


def test_train_and_eval_reach_the_whole_tree() -> None:
    net = Net()
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert net.body[1].training


def test_requires_grad_freezes() -> None:
    net = Net()
    assert net.requires_grad_(False) is net
    assert not any(param.requires_grad for param in net.parameters())


def test_zero_grad() -> None:
    net = Net()
    net(torch.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(array(param.grad).sum() == 0 for param in net.parameters())
    net.zero_grad()
    assert all(param.grad is None for param in net.parameters())


def test_casts_keep_the_parameters_and_leave_integers_alone() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    params = list(net.parameters())
    net(torch.ones(3, 2)).sum().backward()
    for cast, dtype in (
        ("double", torch.float64),
        ("half", torch.float16),
        ("float", torch.float32),
    ):
        assert getattr(net, cast)() is net
        assert all(a is b for a, b in zip(net.parameters(), params, strict=True))
        assert all(param.dtype == param.grad.dtype == dtype for param in params)
        assert net[1].running_mean.dtype == dtype
        assert net[1].num_batches_tracked.dtype == torch.int64
    assert net.to(torch.float64)[0].weight.dtype == torch.float64
    assert net.to(dtype=torch.float32)[0].weight.dtype == torch.float32
    assert net.to("cpu", torch.float64)[0].weight.dtype == torch.float64
    assert net.to(torch.zeros(1, dtype=torch.float32))[0].weight.dtype == torch.float32
    assert net.to(torch.device("cpu")).cpu() is net
    assert all(param.requires_grad and param.is_leaf for param in params)


def test_a_net_learns_after_a_cast() -> None:
    net = nn.Linear(1, 1).double()
    net(torch.ones(1, 1, dtype=torch.float64)).sum().backward()
    assert net.weight.grad.dtype == torch.float64
    net.float()(torch.ones(1, 1)).sum().backward()
    assert net.weight.grad.tolist() == [[2.0]]


# --- state ----------------------------------------------------------------------------------------


def test_state_dict_is_flat_detached_and_alive() -> None:
    net = Net()
    state = net.state_dict()
    assert list(state) == ["scale", "seen", "body.0.weight", "body.0.bias", "head.weight"]
    assert not state["scale"].requires_grad
    with torch.no_grad():
        net.scale.fill_(7.0)
    assert state["scale"].tolist() == [7.0]
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert next(iter(net.state_dict(prefix="net."))) == "net.scale"
    kept: dict[str, Any] = OrderedDict(other=1)
    assert net.state_dict(destination=kept) is kept
    assert len(kept) == 6


def test_load_state_dict_copies() -> None:
    one, other = Net(), Net()
    param = other.scale
    answer = other.load_state_dict(one.state_dict())
    assert str(answer) == "<All keys matched successfully>"
    assert answer.missing_keys == answer.unexpected_keys == []
    assert other.scale is param
    for name, value in one.state_dict().items():
        np.testing.assert_array_equal(array(value), array(other.state_dict()[name]))
    with torch.no_grad():
        one.scale.fill_(9.0)
    assert other.scale.tolist() == [1.0]


def test_load_state_dict_converts_the_dtype() -> None:
    net = nn.Linear(2, 1)
    net.load_state_dict({name: v.double() for name, v in net.state_dict().items()})
    assert net.weight.dtype == torch.float32


def test_load_state_dict_can_take_the_tensors_over() -> None:
    net = nn.Linear(2, 1)
    net.bias.requires_grad_(False)
    given = {"weight": torch.ones(1, 2, dtype=torch.float64), "bias": torch.zeros(1)}
    net.load_state_dict(given, assign=True)
    assert net.weight.dtype == torch.float64
    assert net.weight.requires_grad
    assert not net.bias.requires_grad
    assert isinstance(net.weight, nn.Parameter)
    given["bias"][0] = 5.0
    assert net.bias.tolist() == [5.0]


def test_load_state_dict_lists_all_that_is_wrong() -> None:
    net = Net()
    before = net.scale.item()
    wrong = {
        "scale": torch.full((1,), 5.0),
        "body.0.weight": torch.zeros(3, 3),
        "seen": torch.zeros(2),
        "head.weight": "nothing",
        "tail.weight": torch.zeros(1),
    }
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Net:\n\t")
    assert 'Missing key(s) in state_dict: "body.0.bias". ' in text
    assert 'Unexpected key(s) in state_dict: "tail.weight". ' in text
    assert (
        "size mismatch for body.0.weight: copying a param with shape torch.Size([3, 3]) from "
        "checkpoint, the shape in current model is torch.Size([3, 2])."
    ) in text
    assert 'While copying the parameter named "head.weight", expected' in text
    if SUBJECT != "torch":
        assert net.scale.item() == before, "a load that fails changes nothing"


def test_load_state_dict_not_strict() -> None:
    net = Net()
    answer = net.load_state_dict(
        {"scale": torch.full((1,), 5.0), "other": torch.zeros(1)}, strict=False
    )
    assert net.scale.tolist() == [5.0]
    assert answer.unexpected_keys == ["other"]
    assert answer.missing_keys == ["seen", "body.0.weight", "body.0.bias", "head.weight"]
    with pytest.raises(RuntimeError, match="size mismatch for scale"):
        net.load_state_dict({"scale": torch.zeros(2)}, strict=False)


def test_extra_state() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    one, other = nn.Sequential(Counting()), nn.Sequential(Counting())
    one[0].count = 5
    assert one.state_dict() == {"0._extra_state": {"count": 5}}
    other.load_state_dict(one.state_dict())
    assert other[0].count == 5
    with pytest.raises(RuntimeError, match="_extra_state"):
        other.load_state_dict({})


def test_copies_and_pickles_are_independent() -> None:
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert isinstance(twin.scale, nn.Parameter)
        assert twin.scale.requires_grad
        with torch.no_grad():
            twin.scale.fill_(3.0)
        assert net.scale.tolist() == [1.0]
        assert list(twin.state_dict()) == list(net.state_dict())


# --- parameters -----------------------------------------------------------------------------------


def test_parameter() -> None:
    data = torch.ones(2)
    param = nn.Parameter(data)
    assert isinstance(param, torch.Tensor)
    assert param.is_leaf
    assert param.requires_grad
    assert repr(param) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    with torch.no_grad():
        param.fill_(4.0)
    assert data.tolist() == [4.0, 4.0]
    frozen = nn.Parameter(torch.tensor([1, 2]), requires_grad=False)
    assert frozen.dtype == torch.int64
    assert tuple(nn.Parameter().shape) == (0,)
    assert not isinstance(param * 2, nn.Parameter)
    twin = copy.deepcopy(param)
    assert isinstance(twin, nn.Parameter)
    assert twin is not param
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(torch.tensor([1, 2]))
    with pytest.raises((TypeError, AttributeError)):
        nn.Parameter([1.0, 2.0])


# --- hooks ----------------------------------------------------------------------------------------


def times(factor: float) -> Any:
    """A layer that multiplies by a fixed factor."""
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(factor)
    return layer


ONE = torch.ones(1, 1)


def test_forward_hooks_see_and_replace() -> None:
    layer = times(3.0)
    seen: list[Any] = []
    before = layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    after = layer.register_forward_hook(
        lambda module, args, y: seen.append((module, args[0].item()))
    )
    assert layer(ONE).item() == 6.0
    assert seen == [(layer, 2.0)]
    before.remove()
    after.remove()
    assert layer(ONE).item() == 3.0
    with layer.register_forward_hook(lambda module, args, y: y + 1):
        assert layer(ONE).item() == 4.0
    assert layer(ONE).item() == 3.0


def test_a_pre_hook_may_return_a_single_value() -> None:
    layer = times(3.0)
    layer.register_forward_pre_hook(lambda module, args: args[0] * 10)
    assert layer(ONE).item() == 30.0


def test_hooks_with_keyword_arguments() -> None:
    class Scale(nn.Module):
        def forward(self, x: Any, by: float = 1.0) -> Any:
            return x * by

    module = Scale()
    seen: list[Any] = []
    with module.register_forward_hook(
        lambda module, args, kwargs, y: seen.append(kwargs), with_kwargs=True
    ):
        module(ONE, by=3.0)
    assert seen == [{"by": 3.0}]
    with module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"by": 5.0}), with_kwargs=True
    ):
        assert module(ONE, by=3.0).item() == 5.0
    module.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        module(ONE)


def test_hooks_run_in_order_and_can_be_put_first() -> None:
    layer, order = times(1.0), []
    layer.register_forward_hook(lambda *_: order.append("second"))
    layer.register_forward_hook(lambda *_: order.append("third"))
    layer.register_forward_hook(lambda *_: order.append("first"), prepend=True)
    layer(ONE)
    assert order == ["first", "second", "third"]


def test_backward_hooks_see_both_ends() -> None:
    layer, seen = times(3.0), []
    layer.register_full_backward_hook(lambda *ends: seen.append(ends))
    x = torch.full((1, 1), 2.0, requires_grad=True)
    layer(x).backward(torch.full((1, 1), 5.0))
    ((module, grad_input, grad_output),) = seen
    assert module is layer
    assert grad_input[0].item() == 15.0
    assert grad_output[0].item() == 5.0
    assert layer.weight.grad.item() == 10.0
    assert x.grad.item() == 15.0


def test_backward_hooks_replace() -> None:
    layer = times(3.0)
    x = torch.ones(1, 1, requires_grad=True)
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0] * 100,))
    layer.register_full_backward_pre_hook(lambda module, go: (go[0] * 2,))
    layer(x).backward()
    assert layer.weight.grad.item() == 2.0
    assert x.grad.item() == 600.0


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # PyTorch warns of it
def test_backward_hook_where_no_input_needs_a_gradient() -> None:
    layer, seen = times(3.0), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go[0].item())))
    layer(ONE).backward()
    assert seen == [((None,), 1.0)]
    assert layer.weight.grad.item() == 1.0


def test_backward_hook_of_several_inputs_and_outputs() -> None:
    class Both(nn.Module):
        def forward(self, x: Any, y: Any, factor: float) -> Any:
            return x * factor, x * y

    module, seen = Both(), []
    module.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    x, y = (torch.full((1,), value, requires_grad=True) for value in (2.0, 3.0))
    first, second = module(x, y, 10.0)
    (first + second).sum().backward()
    ((grad_input, grad_output),) = seen
    assert [g if g is None else g.item() for g in grad_input] == [13.0, 2.0, None]
    assert [g.item() for g in grad_output] == [1.0, 1.0]


def test_a_backward_hook_must_answer_for_every_gradient() -> None:
    layer = times(3.0)
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match=r"backward hook|Backward hook"):
        layer(torch.ones(1, 1, requires_grad=True)).backward()


# --- printing -------------------------------------------------------------------------------------


def test_repr() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (body): Sequential(\n"
        "    (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (1): ReLU()\n"
        "  )\n"
        "  (head): Linear(in_features=3, out_features=1, bias=False)\n"
        ")"
    )
    assert repr(Empty()) == "Empty()"


def test_repr_of_a_module_with_settings_and_children() -> None:
    class Named(nn.Module):
        def __init__(self, settings: str, child: bool) -> None:
            super().__init__()
            self.settings = settings
            if child:
                self.part = nn.ReLU()

        def extra_repr(self) -> str:
            return self.settings

    assert repr(Named("a=1", False)) == "Named(a=1)"
    assert repr(Named("a=1\nb=2", False)) == "Named(\n  a=1\n  b=2\n)"
    assert repr(Named("a=1", True)) == "Named(\n  a=1\n  (part): ReLU()\n)"
