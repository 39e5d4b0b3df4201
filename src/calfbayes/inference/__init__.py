"""Exact inference in a network of noisy-ORs: probabilities, their derivatives, and what doubt about the numbers makes of them.

Networks and evidence come in as arrays and positions, and answers go out so. Names are used only to say what is wrong with a
model's files, and where an elicited number stands in them.

In what order to read: each module owns one idea and uses those before it. First, how evidence becomes an answer:

    tables          arrays over variables, which remember what they were made of: the chain rule, read backwards
    leaves          the network's numbers as such tables: priors, and leaks as risk factors move them
    problem         bits, points and items, and the sum over them that P(evidence) is
    price           what everything costs, told before it is paid
    reduction       network and evidence -> the small problem that is left once all that is known has been worked in
    plan            in which order to sum: messages, each used once
    program         the plan as axes of arrays
    matrices        the numbers of its steps
    walk            messages forwards, derivatives backwards
    exact           all of this in one call: log P(evidence), posteriors, derivatives, of many queries side by side

Before any patient, and on top of the answers:

    schedule, base_equations, bases     weights -> shares -> the bases that give them
    solved                              a network with its bases; whether evidence is possible, and if not, what in it clashes
    hypothetical                        what would follow if more were known, or less; the likeliest sets of causes
    elicited, shares, sensitivity       derivatives in the numbers of the files, through the solve of the bases
    ranges, draws                       the 90 % range of each number; models drawn from the doubt of all
    simulation, alone                   patients drawn from a model; what each cause shows by itself
"""
