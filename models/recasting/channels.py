"""How published searches make a new particle X and what they see of it: the names in use.

A limit can be read for another particle only if these are known. `na64.models.recasting.production`
knows the rates of those production processes that vectors with charges share.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["UNSEEN", "FinalState", "Lifetime", "Production"]


class Production(StrEnum):
    """What makes the particle X, or what it changes where it is only exchanged."""

    E_E_TO_GAMMA = "e+ e- -> gamma X"
    E_E_TO_MUONS = "e+ e- -> mu+ mu- X"
    E_E_TO_TAUS = "e+ e- -> tau+ tau- X"
    E_E_TO_ELECTRONS = "e+ e- -> e+ e- X"
    E_E_TO_HIGGS = "e+ e- -> h X"
    ELECTRON_BREMSSTRAHLUNG = "electron bremsstrahlung"
    MUON_BREMSSTRAHLUNG = "muon bremsstrahlung"
    PROTON_BREMSSTRAHLUNG = "proton bremsstrahlung"
    RESONANT_ANNIHILATION = "resonant annihilation"
    DRELL_YAN = "Drell-Yan"
    PI0_TO_GAMMA = "pi0 -> gamma X"
    ETA_TO_GAMMA = "eta -> gamma X"
    ETA_PRIME_TO_GAMMA = "eta' -> gamma X"
    OMEGA_TO_PI0 = "omega -> pi0 X"
    PHI_TO_ETA = "phi -> eta X"
    PION_CAPTURE = "pi- p -> n X"
    PION_TO_LEPTONS = "pi+ -> e+ nu X"
    KAON_TO_PION = "K+ -> pi+ X"
    KAON_TO_MUON = "K+ -> mu+ nu X"
    NEUTRAL_KAON_TO_PION = "KL -> pi0 X"
    B_TO_KAON = "B -> K X"
    MUON_TO_ELECTRONS = "mu+ -> e+ nu nu X"
    TAU_TO_LEPTON = "tau -> l X"
    J_PSI_DECAY = "J/psi decay"
    J_PSI_TO_GAMMA = "J/psi -> gamma X"
    UPSILON_TO_GAMMA = "Upsilon -> gamma X"
    Z_TO_GAMMA = "Z -> gamma X"
    Z_TO_LEPTONS = "Z -> mu+ mu- X"
    HIGGS_DECAY = "h -> X X"
    MESON_DECAY = "meson decay"
    CHARGE_EXCHANGE = "charge exchange"
    PHOTOPRODUCTION = "photoproduction"
    PRIMAKOFF = "Primakoff"
    PHOTON_FUSION = "photon fusion"
    COMPTON = "Compton"
    NUCLEAR_TRANSITION = "nuclear transition"
    ELECTRON_SCATTERING = "neutrino-electron scattering"
    COHERENT_SCATTERING = "coherent scattering"
    NEUTRINO_TRIDENT = "neutrino trident"
    NEUTRINO_OSCILLATION = "neutrino oscillation"
    ATOMIC_TRANSITION = "atomic parity violation"
    ANOMALOUS_MOMENT = "anomalous moment"
    ELECTROWEAK_FIT = "electroweak fit"
    STELLAR_COOLING = "stellar cooling"
    SUPERNOVA = "supernova"
    EARLY_UNIVERSE = "early universe"
    THEORY = "theory"


class FinalState(StrEnum):
    """What is seen of X, or that it is not seen."""

    INVISIBLE = "invisible"
    NEUTRINOS = "neutrinos"
    RECOIL = "recoil"  # of dark matter that X has decayed to, in a detector behind
    ELECTRONS = "e+ e-"
    MUONS = "mu+ mu-"
    TAUS = "tau+ tau-"
    HADRONS = "hadrons"
    PIONS = "pi+ pi-"
    CHARGED = "charged"  # two charged particles or more: of the visible all but pi0 gamma
    VISIBLE = "visible"  # everything but neutrinos and dark matter
    PHOTONS = "gamma gamma"
    ANY = "any"  # whatever X decays to
    VIRTUAL = "virtual"  # X is exchanged and not made


#: final states in which X decays to what no detector sees, or does not decay
UNSEEN = frozenset(
    {
        FinalState.INVISIBLE,
        FinalState.NEUTRINOS,
        FinalState.RECOIL,
        FinalState.ANY,
        FinalState.VIRTUAL,
    }
)


class Lifetime(StrEnum):
    """Whether a search sees X decay where it was made or a way behind."""

    PROMPT = "prompt"
    DISPLACED = "displaced"
