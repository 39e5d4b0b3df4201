"""`python -m calfbayes` is the command line."""

import sys

from calfbayes.cli import main

sys.exit(main())
