"""What the engine costs, beside its peers, in one run; `make bench`. No part of the tests."""
