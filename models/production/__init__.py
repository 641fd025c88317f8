"""Production cross-sections: emission off leptons, annihilation, Primakoff, charge exchange."""
