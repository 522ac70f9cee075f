"""A recurrent net by hand that tells languages apart by the letters of a name."""

import random

import torch
import torch.nn as nn

names = {
    "Italian": ["Rossi", "Bianchi", "Ferrari", "Esposito", "Romano", "Colombo"],
    "Polish": ["Kowalski", "Nowak", "Wisniewski", "Kaminski", "Zielinski", "Wozniak"],
    "Japanese": ["Tanaka", "Suzuki", "Yamamoto", "Kobayashi", "Nakamura", "Ito"],
}
categories = list(names)
letters = sorted({letter for group in names.values() for name in group for letter in name.lower()})


def line_to_tensor(line):
    tensor = torch.zeros(len(line), 1, len(letters))
    for li, letter in enumerate(line.lower()):
        tensor[li][0][letters.index(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        return self.softmax(self.h2o(hidden)), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


random.seed(3)
torch.manual_seed(3)
rnn = RNN(len(letters), 16, len(categories))
criterion = nn.NLLLoss()
total = 0.0
for step in range(1, 301):
    category = random.choice(categories)
    line = random.choice(names[category])
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for letter in line_to_tensor(line):
        output, hidden = rnn(letter, hidden)
    loss = criterion(output, torch.tensor([categories.index(category)]))
    loss.backward()
    nn.utils.clip_grad_norm_(rnn.parameters(), 5.0)
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-0.05)
    total += loss.item()
    if step % 100 == 0:
        print(step, f"{total / 100:.3f}")
        total = 0.0

right = 0
with torch.no_grad():
    for i, category in enumerate(categories):
        for line in names[category]:
            hidden = rnn.init_hidden()
            for letter in line_to_tensor(line):
                output, hidden = rnn(letter, hidden)
            top_n, top_i = output.topk(1)
            right += int(top_i[0].item() == i)
print(right, "of", sum(map(len, names.values())))
