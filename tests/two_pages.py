"""Two pages that fill every table, and what is made of them."""

ANN = """Ann Bell

CL
h-index3
3papers
9citations
Novelty50%
AI Score58

3 Papers

ROMar 14, 2025Code
On Bells

Ann Bell, Cy Dole et al. · mila, Tower Lab

Bells ring. See https://github.com/a/b and http://x.org/.

Advertisement
of a tower

CLApr 2
Naïve Chimes

Ève Fox, C. Dole, Ann Bell

"They" chime, 'softly', and
"""
EVE = """Eve Fox

ROMar 14, 2025
On Bells!

Ann Bell, Cy Dole, Eve Fox

Bells rang.
"""
