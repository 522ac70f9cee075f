"""Rows and dictionaries of modules and parameters.

Written in PyTorch's words; `SUBJECT=torch pytest` shows that PyTorch says the same.
"""

from __future__ import annotations

import copy
import re
from collections import OrderedDict
from typing import Any

import pytest
from compare import OURS, THEIRS

torch, nn = OURS.torch, OURS.nn
against_torch = pytest.mark.skipif(THEIRS is None, reason="PyTorch is not installed")


def layers(count: int) -> list[Any]:
    return [nn.Linear(i + 1, i + 2) for i in range(count)]


def names(module: Any) -> list[str]:
    return [name for name, _ in module.named_children()]


def test_sequential_is_composition() -> None:
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        for layer, weight, bias in ((first, 2.0, 1.0), (second, 10.0, 0.0)):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    assert nn.Sequential(first, second)(torch.ones(1)).item() == 30.0
    assert nn.Sequential()(3) == 3


def test_sequential_with_names() -> None:
    net = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 1, 3), act=nn.ReLU()))
    assert names(net) == ["conv", "act"]
    assert net.conv is net[0]
    assert names(net[1:]) == ["act"]


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_rows_behave_as_lists(kind: str) -> None:
    parts = layers(4)
    make = getattr(nn, kind)
    row = make(*parts) if kind == "Sequential" else make(parts)
    assert len(row) == 4
    assert list(row) == parts
    assert row[0] is parts[0]
    assert row[-1] is parts[3]
    assert list(row[1:3]) == parts[1:3]
    assert isinstance(row[1:3], make)
    assert names(row) == ["0", "1", "2", "3"]

    extra = nn.ReLU()
    row[1] = extra
    assert list(row) == [parts[0], extra, parts[2], parts[3]]
    del row[0]
    assert names(row) == ["0", "1", "2"]
    assert row.pop(-1) is parts[3]
    row.insert(0, parts[0])
    row.insert(len(row) - 1, parts[1])
    assert list(row) == [parts[0], extra, parts[1], parts[2]]
    assert row.append(parts[3]) is row
    assert row.extend([parts[0]]) is row
    assert len(row) == 6
    del row[1:4]
    assert list(row) == [parts[0], parts[3], parts[0]]
    assert "0" not in dir(row)
    assert extra not in row


def test_sequential_sums_and_products() -> None:
    a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh(), nn.Tanh())
    assert len(a + b) == 3
    assert len(a * 3) == len(3 * a) == 3
    assert (a * 2)[0] is (a * 2)[1] is a[0]
    a += b
    assert len(a) == 3
    a *= 2
    assert len(a) == 6


def test_module_list_sums() -> None:
    row = nn.ModuleList([nn.ReLU()])
    longer = row + [nn.Tanh()]
    assert len(longer) == 2
    assert len(row) == 1
    row += [nn.Tanh(), nn.Tanh()]
    assert names(row) == ["0", "1", "2"]


def test_module_dict_behaves_as_a_dict() -> None:
    relu, linear = nn.ReLU(), nn.Linear(1, 2)
    modules = nn.ModuleDict({"relu": relu, "linear": linear})
    assert list(modules) == list(modules.keys()) == ["relu", "linear"]
    assert list(modules.values()) == [relu, linear]
    assert list(modules.items()) == [("relu", relu), ("linear", linear)]
    assert modules["relu"] is modules.relu is relu
    assert "relu" in modules
    assert "tanh" not in modules
    assert [name for name, _ in modules.named_parameters()] == ["linear.weight", "linear.bias"]
    modules["tanh"] = nn.Tanh()
    del modules["relu"]
    assert modules.pop("linear") is linear
    modules.update([("again", linear)])
    modules.update({"relu": relu})
    assert names(modules) == ["tanh", "again", "relu"]
    assert len(modules) == 3
    assert {modules: 1}[modules] == 1
    modules.clear()
    assert len(modules) == 0


def test_parameter_list_behaves_as_a_list() -> None:
    params = nn.ParameterList([nn.Parameter(torch.ones(2)), torch.zeros(3), "other"])
    assert len(params) == 3
    assert isinstance(params[1], nn.Parameter)
    assert params[2] == params[-1] == "other"
    assert [name for name, _ in params.named_parameters()] == ["0", "1"]
    params.append(torch.ones(1)).extend([torch.ones(4)])
    params += [torch.ones(5)]
    assert [tuple(p.shape) for p in params.parameters()][:2] == [(2,), (3,)]
    assert isinstance(params[1:3], nn.ParameterList)
    assert len(params[1:3]) == 2
    params[0] = torch.full((2,), 9.0)
    assert params[0].tolist() == [9.0, 9.0]
    assert list(params.state_dict()) == ["0", "1", "3", "4", "5"]
    assert len(copy.deepcopy(params)) == 6
    assert "0" not in dir(params)


def test_parameter_dict_behaves_as_a_dict() -> None:
    params = nn.ParameterDict({"a": nn.Parameter(torch.ones(2))})
    params["b"] = torch.zeros(3)
    params["c"] = 3
    assert isinstance(params["b"], nn.Parameter)
    assert params.b is params["b"]
    assert list(params) == ["a", "b", "c"]
    assert params.get("d", 4) == 4
    assert "c" in params
    assert [name for name, _ in params.named_parameters()] == ["a", "b"]
    assert params.setdefault("a", None) is params["a"]
    assert params.popitem() == ("c", 3)
    assert params.pop("b").shape == (3,)
    del params["a"]
    assert len(params) == 0
    params.update({"x": torch.ones(1)})
    assert list(reversed(params)) == ["x"]


REPRS = [
    "nn.Sequential()",
    "nn.Sequential(nn.Linear(1, 2), nn.Linear(1, 2))",
    "nn.ModuleList()",
    "nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU(), nn.Linear(1, 2)])",
    "nn.ModuleList([nn.Sequential(nn.Linear(1, 2), nn.ReLU()) for _ in range(3)])",
    "nn.ModuleDict({'a': nn.ModuleList([nn.ReLU()]), 'b': nn.Linear(1, 1)})",
    "nn.ParameterList()",
    "nn.ParameterList([torch.zeros(2, 3), torch.zeros(()), 3])",
    "nn.ParameterList([torch.zeros(2, 3)])",
    "nn.ParameterDict({'a': torch.zeros(2), 'b': torch.zeros(1, dtype=torch.float64), 'c': 'x'})",
]


@against_torch
@pytest.mark.parametrize("expression", REPRS)
def test_prints_the_same(expression: str) -> None:
    assert repr(OURS.evaluate(expression, {})) == repr(THEIRS.evaluate(expression, {}))


REFUSED = {
    "nn.Sequential(1)": (TypeError, "int is not a Module subclass"),
    "nn.Sequential(nn.ReLU()).append(1)": (TypeError, "int is not a Module subclass"),
    "nn.Sequential(nn.ReLU())[1]": (IndexError, "index 1 is out of range"),
    "nn.Sequential(nn.ReLU()) + 3": (ValueError, "add operator supports only objects"),
    "nn.Sequential(nn.ReLU()) * 0": (ValueError, "Non-positive multiplication factor 0"),
    "nn.Sequential(nn.ReLU()) * 1.5": (TypeError, "unsupported operand type(s) for *"),
    "nn.Sequential(nn.ReLU()).insert(4, nn.ReLU())": (IndexError, "Index out of range: 4"),
    "nn.ModuleList([1])": (TypeError, "int is not a Module subclass"),
    "nn.ModuleList([nn.ReLU()])[-2]": (IndexError, "index -2 is out of range"),
    "nn.ModuleList().extend(3)": (TypeError, "should be called with an iterable, but got int"),
    "nn.ModuleList([nn.ReLU()])(1)": (NotImplementedError, "forward"),
    "nn.ModuleDict({'a': 1})": (TypeError, "int is not a Module subclass"),
    "nn.ModuleDict({1: nn.ReLU()})": (TypeError, "module name should be a string. Got int"),
    "nn.ModuleDict({'keys': nn.ReLU()})": (KeyError, "attribute 'keys' already exists"),
    "nn.ModuleDict()['a']": (KeyError, "a"),
    "nn.ParameterList(3)": (TypeError, "should be called with an iterable, but got int"),
    "nn.ParameterList([3])[1]": (IndexError, "index 1 is out of range"),
    "nn.ParameterDict({1: 2})": (TypeError, "not a string"),
}


@pytest.mark.parametrize("expression", REFUSED)
def test_refuses(expression: str) -> None:
    error, words = REFUSED[expression]
    with pytest.raises(error, match=re.escape(words)):
        OURS.evaluate(expression, {})
