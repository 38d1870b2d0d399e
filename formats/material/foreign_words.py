"""What maps are called in German, French, Spanish and Italian: without accents, as names are read without them."""

from typing import Final

from imagegs_tex.formats.vocabulary import Semantic

_S = Semantic

FOREIGN_SPELLINGS: Final[dict[Semantic, str]] = {
    _S.BASE_COLOUR: (
        "farbe farben grundfarbe basisfarbe oberflaechenfarbe couleur couleurs couleurbase couleurdebase colorbase "
        "colore colorebase coloredibase albedofarbe diffusfarbe diffuso difuso"
    ),
    _S.NORMAL: "normale normalen normalenmap normalenkarte normales normali normalmappe cartenormale",
    _S.ROUGHNESS: "rauheit rauigkeit rauhigkeit rauhheit rugosite rugosidad rugosita rugosidade",
    _S.GLOSS: "glanz glaette glatte brillance lissage brillo lucentezza",
    _S.METALLIC: "metall metallisch metallique metallicite metalico metallico metallizita metalicidad",
    _S.OCCLUSION: (
        "umgebungsverdeckung umgebungsokklusion verdeckung okklusion occlusionambiante oclusion oclusionambiental "
        "occlusione occlusioneambientale"
    ),
    _S.HEIGHT: (
        "hoehe hohe hoehenkarte hohenkarte verschiebung hauteur deplacement altura desplazamiento altezza spostamento"
    ),
    _S.OPACITY: "deckkraft transparenz opacite transparence opacidad transparencia opacita trasparenza",
    _S.EMISSIVE: "leuchten selbstleuchten leuchtkraft emissif emisivo emisiva emissivo emissione",
    _S.SPECULAR: "spiegelung glanzlicht speculaire reflexion especular reflejo speculare riflessione",
    _S.MASK: "maske masque mascara maschera",
    _S.CAVITY: "kruemmung krummung courbure curvatura",
}
