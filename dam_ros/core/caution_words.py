"""The word lists of `caution`, in five languages: one regular expression a line, case does not matter.

A name in angle brackets stands for the group of that name. Measured in tests/test_words_caution.py; docs/words.md
says how to change them.
"""
from __future__ import annotations

# -- what the system never says itself; whole words, but in Chinese
BANNED = {
    'en': r"""
        clear(ly)?
        safe(ly)?
        free
        empty
        nothing
        unobstructed
        move|walk(ing)?|step|cross|proceed
        (please|you can|you may|now) (go|stop|turn)
        certain(ly)?|definitely|surely|I am sure|no doubt|guaranteed
        100 ?%""",
    'es': r"""
        despejad[oa]s?|segur[oa]s?|libres?|vac[ií][oa]s?|nada
        camin(a|e|ar)|and(a|e|ar)|cruz(a|ar)|cruce|avan(za|ce|zar)|muév[ea](te|se)
        seguramente|ciert[oa](mente)?|sin duda
        100 ?%""",
    'de': r"""
        frei(e[nrs]?)?|sicher(lich)?|leer|nichts
        geh(en|t)?|lauf(en|t)?|überquer\w*|beweg\w*|tritt
        bestimmt|gewiss|zweifellos|garantiert
        100 ?%""",
    'fr': r"""
        libres?|dégagée?s?|sûre?s?|vides?|rien|sans danger
        march(e|ez|er)|avan(ce|cez|cer)|travers(e|ez|er)|allez|bouge[zr]?
        sûrement|certain(e|ement)?|sans aucun doute
        100 ?%""",
    'zh': r"""
        安全|畅通|空的|没有东西|什么都没有
        走|过马路|移动|前进
        肯定|一定|确定|绝对|百分之百""",
}

GROUPS = {
    # English
    'way': r"""way|path|pathway|road|roadway|street|route|sidewalk|pavement|crosswalk|crossing|corridor|hallway
        aisle|passage|passageway|lane|walkway|driveway|intersection|junction|trail|tracks?|exit|entrance
        stairs|stairway|staircase|steps|coast|ground|floor|area ahead|space ahead|platform|ramp|doorway|alley|bridge
        way forward|surroundings""",
    'place': r"""area|room|space|hall|lobby|zone|parking lot|car park|yard|surface|elevator|lift|gap|opening|square
        spot|terrain""",
    'in way': r"""obstacles?|obstructions?|traffic|cars?|vehicles?|hazards?|dangers?|risks?|threats?|barriers?
        debris|hurdles?|impediments?|blockages?|barricades?|clutter|oncoming \w+|moving \w+|cyclists?|holes?|drops?
        drop-?offs?|bumps?|puddles?|curbs?|kerbs?|trip(?:ping)? hazards?|steps""",
    'go': r"""go|cross|walk|proceed|pass|move|continue|step|enter|drive|advance|eat|drink|touch|swallow|climb|run
        get (?:by|past|through|in|on|off|up|across|around|out)|squeeze|fit through|slip through|make it|sit down|turn
        head|keep""",
    'well': r"""clear|free|empty|unobstructed|unblocked|passable|walkable|navigable|deserted|open|vacant|uncluttered
        unoccupied|unhindered|accessible|obstacle-free|secure|level|dry|even|stable|sturdy""",
    'is': r"""(?:is|are|be|was|looks?|seems?|appears?|remains?|stays?|lies?|stands?|feels?)(?: to be)?|'s|'re""",
    'may I': r"""(?:can|may|could|should|shall|must) (?:I|we|one|he|she|they|my \w+|the \w+)""",
    'do it': r"""cross|go|walk|pass|proceed|continue|enter|step|run|drive|move|leave|climb|jump|eat|drink|swallow
        touch
        take (?:it|this|that|these|those|one|two|them)|get (?:in|on|off|out|through|by|past)
        turn (?:left|right|around)""",
    'its': r"""the|an?|my|your|its?|his|her|their|this|that|these|those|which|top""",
    'food': r"""food|dish|meal|cake|coffee|tea|bread|milk|meat|fish|cheese|chicken|eggs?|soup|sauce|pizza|salad
        chocolate|cookies?|biscuits?|drink|juice|yogh?urt|sausage|ham|butter|sandwich|cereal""",
    'allergen': r"""nuts?|milk|eggs?|soy|wheat|shellfish|sugar|alcohol""",
    'may': r"""(?:can|may|could|should|must|will|might|need to|have to|had better|ought to|better)""",
    'around': r"""there|around|ahead|near\w*|in (?:the|your) way|on the (?:road|street|stairs|path|way)""",
    'edge': r"""steps?|stairs?|stairway|drops?|drop-?offs?|edges?|holes?|kerbs?|curbs?|ledge|cliff|ice""",
    'number': r"""one|two|three|four|five|a few|\d+""",
    'step': r"""go|walk|run|proceed|continue|advance|move|hurry|enter|straight (?:on|ahead)|keep straight|go straight
        cross (?:now|here|over)""",
    'risky': r"""unsafe|dangerous|hazardous|harmful|blocked|obstructed|poisonous|toxic|risky""",
    'first': r"""now\s|then\s|please\s|just\s|carefully\s|slowly\s""",
    'turn': r"""go|walk|cross|proceed|continue|move|step|keep|head|turn|bear|veer|back|lean|reach|climb""",
    'there': r"""with (?:care|caution)|ahead|forwards?|straight|left|right|now|across|over|along|back|backwards?|aside
    away|around|through
        past|slowly|carefully|closer|up|down|out|off|outside|inside|to(?:wards?)? (?:the|your)|until
        (?:<number>|a) (?:more )?(?:steps?|met(?:er|re)s?|paces?|feet)""",
    'many': r"""plenty of|enough|ample|sufficient|lots of|a lot of|adequate|generous""",
    'vehicles': r"""cars?|vehicles?|bus(?:es)?|trucks?|drivers?|traffic|trams?""",
    # Spanish
    'camino': r"""camino|vía|calle|carretera|paso|acera|pasillo|cruce|ruta|sendero|calzada|entrada|salida
        escaleras?|suelo|corredor|trayecto|puente|rampa|andén|zona|área|espacio|habitación|sala|senda""",
    'libre': r"""libres?|despejad[oa]s?|vac[ií][oa]s?|segur[oa]s?|transitables?|sin obstáculos|abiert[oa]s?
    desiert[oa]s?
        desocupad[oa]s?|accesibles?|sec[oa]s?|firmes?|llan[oa]s?""",
    'obstáculo': r"""obstáculos?|coches?|carros?|autos?|tráfico|peligros?|riesgos?|vehículos?|barreras?|estorbos?
        impedimentos?|escalones?|agujeros?|nadie""",
    'es': r"""es|está|están|son|parecen?(?: estar| ser)?|queda|se ven?""",
    'hacer': r"""cruzar|pasar|caminar|andar|ir|seguir|avanzar|entrar|salir|subir|bajar|comer|beber|tomar|tocar
        usar|continuar""",
    # German
    'weg': r"""weg|straße|strasse|fahrbahn|gehweg|bürgersteig|bahn|gang|flur|kreuzung|durchgang|übergang
        zebrastreifen|treppe|spur|zufahrt|ausgang|eingang|boden|radweg|korridor|fußweg|brücke|rampe|bahnsteig|bereich
        raum|zimmer|platz|pfad|bereich vor \w+""",
    'frei': r"""frei|leer|sicher|offen|\w*frei|\w+bar|unbesetzt|menschenleer|trocken|eben|stabil|unbehindert""",
    'gehen': r"""gehen|laufen|überqueren|weitergehen|passieren|essen|trinken|anfassen|betreten|hinübergehen
        losgehen|fahren|durchgehen|hindurchgehen|vorbeigehen|durchkommen|vorbeikommen|durchlaufen|steigen""",
    'tun': r"""weiter|durch|rüber|hinüber|einsteigen|aussteigen|berühren|nehmen|einnehmen|benutzen""",
    'du kannst': r"""du kannst|sie können|ihr könnt|man kann|kannst du|können sie|man darf|du darfst""",
    # French
    'chemin': r"""chemin|voie|route|rue|trottoir|passage|couloir|allée|carrefour|croisement|chaussée|sentier
        escaliers?|sol|entrée|sortie|pont|rampe|quai|zone|espace|pièce|salle""",
    'dégagé': r"""libres?|dégagée?s?|vides?|sûre?s?|déserte?s?|praticables?|sécurisée?s?|ouverte?s?|inoccupée?s?
    sèche?s?""",
    'est': r"""est|sont|semblent?(?: être)?|paraît|reste""",
    'faire': r"""passer|traverser|marcher|avancer|aller|continuer|entrer|sortir|monter|descendre|manger|boire|toucher
        prendre|utiliser|y aller|franchir|circuler""",
}

# -- what models claim
CLAIMS = r"""
    (?:<is>) (?:\w+ ){0,2}safe\b(?! deposit)
    \bsafe (?:to|for|way|path|route|passage|crossing|place|spot|area|distance|enough|now|here)\b
    \bperfectly safe\b|\ball clear\b|\bgood to go\b
    \bsafely (?:\w+ )?<go>\b|\b<go> (?:\w+ ){0,2}safely\b
    \b<way>\b(?: \w+){0,4} (?:<is>) (?:\w+ ){0,2}<well>\b(?! to the public)
    \b(?:clear|free|unobstructed|unblocked|empty|deserted|passable|obstacle-free|traffic-free|vacant) (?:\w+ )?<way>\b
    \b(?:unobstructed|unblocked|obstacle-free|uncluttered|passable) (?:\w+ )?<place>\b
    \bopen (?:way|path|road|route|lane|passage)\b
    \b(?:free|clear) (?:of|from) (?:any |all |other )?<in way>\b
    \b(?:no|without|without any|zero) (?:\w+ ){0,2}<in way>\b
    \bnothing (?:is |that )?(?:in|on|block\w*|obstruct\w*) (?:the|your|my|this|its|our) (?:\w+ )?<way>\b
    \bnothing (?:is |lies |stands )?(?:there|ahead|in front|in between|around|near(?:by)?|behind you|to worry)\b
    \b(?:you|pedestrians|one|we|anyone|everyone)(?:'ll)? <may> (?:\w+ly |now |also |still |just |be able to )*<go>\b
    \bpeople (?:can|may|could|should|must) (?:now |safely |also |easily |still |just |be able to )*<go>\b
    \b(?:you|pedestrians|people|one) (?:are|is|will be|should be) (?:able|free|allowed|welcome) to\b
    \b(?:ok|okay|fine|alright|all right|possible|easy|simple|ready|suitable|enough|safe|turn) to (?:\w+ly )?<go>\b
    \btime to (?:\w+ly )?(?!eat|drink|touch|swallow)<go>\b
    \b(?:easily|comfortably|freely) (?:<go>|passable|reachable|walkable)\b
    \bwithout (?:any )?(?:trouble|difficulty|interruption|break|gap)\b|\bso you (?:can|may|could)\b
    \b(?:I|we) (?:suggest|recommend|advise)\b|\b(?:best|better|advisable|recommended) to <go>\b|\bright of way\b
    ^(?:<first>)?(?!head (?:down|up|back)\b|back (?:left|right)\b)<turn> (?:\w+ly )?<there>\b
    ^(?:now |then |please |just |ok |okay )*(?:<step>)(?: on| ahead| now| forwards?| please)*[.!]*$
    ^(?:now |then |please |just )?(?:go|walk|move|keep|continue) on\b
    ^(?:now |then |please |just )?(?:keep|continue) (?:walking|going|moving|to)\b
    ^(?:now |then |please |just )?(?:watch (?:out|your)|look out|beware|be careful|take care|mind (?:the|your)|hold on)
    ^(?:please |just )?(?:stay|stand) (?:back|away|clear|still|where|put|aside|on the|to the|here)\b
    ^(?:please |just )?(?:wait (?:for|until|here|a)|stop (?:here|now|walking|moving)|stop[.!]*$)
    ^(?:please |just )?(?:do not|don't) <go>\b
    ^(?:please |now )?(?:come (?:closer|here|forward|back)|follow (?:the|this|me)|make a (?:left|right|u-?turn)|duck)\b
    ^(?:please |now |then )?take (?:<number>|an?|the)(?: \w+)? (?:steps?|stairs|exit|left|right)\b
    ^(?:please |now )?get (?:back|out|away|down|off|up)\b|^(?:caution|attention|warning|careful)[:,!]
    \b<many> (?:\w+ )?(?:room|space|clearance|headroom|width)\b(?! for (?!you|people|pedestrian|walk|pass|a person))
    \b(?:room|space|gap|opening) (?:\w+ )?to <go>\b|\bwide enough\b(?! for (?!you|people|pedestrian|walk|a person))
    \b(?:strong|thick|sturdy|solid) enough\b|\bwill hold\b|\b(?:hold|bear|support) your\b
    \b<place>\b(?: \w+){0,4} (?:<is>) (?:\w+ ){0,2}(?:<well>|unobstructed|safe)
    \b<way>\b(?: \w+){0,3} (?:lies|lie|stands|runs|stretches|leads|opens) (?:\w+ ){0,2}<well>\b
    \bwide open (?:ahead|way)
    \b(?:no one|nobody|not a soul|hardly anyone|no people|no person) (?:\w+ ){0,2}<around>
    (?:\b(?:hardly|barely|scarcely|not|never)|n't) (?:any|an?(?: single)?) (?:\w+ )?<in way>\b
    (?:\bnot|n't|\bnever) (?:anything|anyone|anybody) (?:\w+ ){0,2}<around>
    \b(?:<way>|<place>) (?:ahead )?(?:has|have|contains?|with|holds) (?:nothing|nobody|no one)\b(?! on the walls?)
    \b(?:nobody|no one|nothing) (?:\w+ly )?(?:blocks?|obstructs?|bars?|blocking|obstructing)\b
    \b(?:little|light|few) (?:traffic|cars|vehicles)\b
    (?:won't|will not|do not|don't|cannot|can't) (?:bump|trip|fall|slip|collide|run into|get hurt)
    (?:won't|will not|does not|doesn't|would not) (?:bite|hurt|harm|burn|attack)\b|\bcool to (?:the )?touch\b
    \b(?:stove|oven|burner|hob|iron|gas|stovetop)s? (?:<is>) (?:\w+ )?(?:off|cold|cool)\b
    \btraffic (?:has|is|have|was) (?:\w+ )?(?:stopped|halted|stationary|at a|still|yielding|cleared|gone|passed)\b
    \b<vehicles> have (?:\w+ )?(?:stopped|halted|yielded|passed|gone|cleared|come to a)\b|\bhas (?:stopped|halted) for\b
    \b(?:the|every|each|that|this|your) (?:\w+ ){0,2}<vehicles> has (?:\w+ )?(?:stopped|halted|yielded|passed|come to)\b
    \b(?:crosswalk|pedestrian|walk|crossing) (?:signal|light|sign)s? (?:(?:<is>)|has turned|turned) (?:white|green)\b
    \b<vehicles> (?:is|are)? ?(?:waiting|stopping|yielding) for (?:you|pedestrian)|\bnothing (?:\w+ )?between you\b
    \b(?:pedestrian|crossing|crosswalk|walk|traffic) (?:\w+ )?(?:signal|light|sign)s? (?:\w+ ){1,3}"?(?:walk|go)\b
    \b(?:signal|light|sign)s? (?:shows?|says?|displays?|reads?|indicates?) (?:that |to |you |can |may )*"?(?:walk|go)\b
    \bwalk (?:sign|signal|light) (?:<is>) (?:\w+ )?(?:on|lit|illuminated|active|showing)\b|\bman is (?:\w+ )?green\b
    \b(?:light|signal)s? (?:has |have |is |are |was )?(?:just )?(?:chang|switch|turn)(?:ed|ing) (?:to )?green\b
    \b(?:risk|hazard|danger)-free\b|\bnon-?toxic\b|\bharmless\b
    (?:\bnot|n't|\bno longer|\bnothing|\bhardly) (?:\w+ ){0,2}<risky>\b
    \bpos(?:es?|ing) no\b|\bnot pose\b|n't pose\b
    \b(?:edible|drinkable|potable)\b|\b(?:fit|fine|good|ok|okay) to (?:eat|drink)\b(?! for (?:breakfast|lunch|dinner))
    \b(?:light|signal)s? (?:is|are|shows?|has turned|turned|turns|now|glows?) (?:\w+ )?green\b
    \bgreen man\b|\bwalk signal is on\b
    \b(?:signal|light)s? (?:\w+ ){1,4}(?:walking|walk) (?:figure|man|person|symbol|icon)\b
    \bunimpeded\b|\b(?:water|pool|pond|stream|puddle) (?:<is>) (?:\w+ )?shallow\b|\b(?:can|may) be (?:taken|swallowed)\b
    \b(?:ladder|chair|stool|bench|plank|railing|handrail|scaffold\w*) (?:<is>) (?:\w+ )?(?:stable|sturdy|secure)\b

    \b<camino>\b(?: \w+){0,4} <es> (?:\w+ )?<libre>(?!\w)
    \b<camino> <libre>(?!\w)
    \b<es> (?:muy |totalmente |completamente )?segur[oa]s?(?!\w)
    \bde forma segura\b|\bcon seguridad\b
    \b(?:sin|libres? de) (?:ningún |ninguna )?(?:obstáculos?|peligros?|tráfico|coches|riesgos?|vehículos)\b
    \bno (?:hay|se ven?|tiene|existen?|vienen?) (?:ningún |ninguna |más )?<obstáculo>(?!\w)
    \b(?:sin|libres? de) (?:ningún |ninguna )?<obstáculo>(?!\w)|\bsin (?:dificultad|problemas?)\b
    \b(?:suficiente|bastante|mucho|amplio|de sobra) (?:espacio|sitio|lugar)\b
    \b(?:espacio|sitio|lugar) (?:\w+ )?para (?:<hacer>)
    \b(?:fácil|fáciles|posible|hora|list[oa]s?) (?:de|para)? ?(?:<hacer>)(?!\w)|\bdebería (?:poder )?(?:<hacer>)
    \b(?:tráfico|coches|vehículos|autos) (?:\w+ )?(?:se )?(?:ha|han) (?:parado|detenido)|\b(?:se ha|se han) detenido
    \bsemáforo(?: \w+){0,4} (?:verde|indica|muestra)\b|\bnadie (?:en|delante|enfrente|alrededor|cerca|por)
    ^(?:cuidado|atención|ten cuidado|tenga cuidado|quédate|quédese|espera|espere|retrocede|retroceda|gira|gire)\b
    ^d[aé] (?:un|dos|tres|unos)\b
    ^(?:muévete|muévase|apártate|apártese|sube|suba|baja|baje|entra)(?!\w)
    ^(?:entre|sal por|salga|vete|vaya|pasa|pase|dobla|doble)(?!\w)
    \bnada (?:delante|enfrente|en (?:el|su|tu|mi) camino|que (?:bloquee|obstruya))
    \bno es peligros[oa]\b|\binofensiv[oa]s?\b
    (?<!no )\b(?:puede|puedes|podéis|pueden|se puede|podemos|debe|debes|podrá|podrás) (?:\w+ )?(?:<hacer>)(?!\w)
    ^(?:cruza|cruce|avanza|avance|siga|sigue|camina|camine)\b
    \bcomestibles?\b|\bpotable\b|\bsemáforo (?:está )?(?:en )?verde\b

    \b<weg>\b(?: \w+){0,4} (?:ist|sind|scheint|wirkt|bleibt|liegt) (?:\w+ )?<frei>\b
    \b(?:genug|genügend|ausreichend|viel|reichlich) (?:platz|raum)\b|\bplatz (?:zum|um|für dich|für sie)\b
    \bbreit genug\b
    \b(?:leicht|einfach|möglich|gut) zu (?:<gehen>|begehen|besteigen|passieren|erreichen)\b|\bbegehbar\b
    \bzeit zu <gehen>\b
    \b(?:sollten|solltest|sollte|musst|müssen) (?:\w+ ){0,4}<gehen>\b
    \b(?:verkehr|autos|fahrzeuge)\b.{0,12}\b(?:angehalten|gestoppt|hält|halten|steht still|stehen still)\b
    \b(?:ampel|signal|ampelmännchen|fu(?:ß|ss)gängerampel)\b.{0,20}\bgrün(?:es)?\b
    \bniemand (?:\w+ ){0,3}(?:weg|davor|da|vor)\b
    ^(?:vorsicht|achtung|pass auf|passen sie auf|warte|warten sie|bleib|bleiben sie|tritt|treten sie|dreh|drehen sie)\b
    ^(?:geh|gehen sie|mach|machen sie|komm|kommen sie|steig|steigen sie|bieg|biegen sie|lauf|laufen sie|überquere?)\b
    \b(?:freie[rnsm]?|sichere[rnsm]?|leere[rnsm]?|hindernisfreie[rnsm]?) (?:\w+ )?<weg>\b|\bfreie fahrt\b
    \b(?:es|das|hier|dort) (?:ist|scheint|wirkt) (?:\w+ )?sicher\b
    \bist (?:völlig |ganz |absolut )?sicher[.,!]?$
    \bsicher (?:zu |überquer|begehbar|passier|betret)
    \bgefahrlos\b|(?<!nicht )\bungefährlich\b|\bharmlos\b|\bunbedenklich\b
    \bkeine?(?:rlei|n)? (?:\w+ )?(?:gefahr(?:en)?|hindernis(?:se)?|autos?|fahrzeuge?|verkehr|risiko|risiken)\b
    \bkeine?(?:rlei|n)? (?:\w+ )?(?:hürden?|barrieren?|stufen?|löcher|schwellen?)\b
    \bohne (?:hindernisse?|gefahr|verkehr|risiko)\b|\bfrei von (?:hindernissen|verkehr|autos)\b
    \bnichts (?:im weg|vor (?:dir|ihnen|uns)|davor|versperrt|blockiert)
    \bnicht (?:gefährlich|blockiert|versperrt|giftig)\b
    \b<du kannst>\b(?:(?! nicht| kein).){0,40}<gehen>\b
    ^(?:geh|gehe|gehen sie|lauf|laufen sie) (?:\w+ )?(?:weiter|geradeaus|los|nach)\b|\bweitergehen sie\b
    \bessbar\b|(?<!un)genießbar\b|\btrinkbar\b|\bampel (?:ist|zeigt|steht auf) (?:jetzt )?grün\b

    \b<chemin>\b(?: \w+){0,4} <est> (?:\w+ )?<dégagé>(?!\w)
    \b<chemin> <dégagé>(?!\w)
    (?:c'est|\b<est>) (?:très |tout à fait |parfaitement )?sûre?s?(?!\w)
    \ben (?:toute )?sécurité\b
    \bsans (?:aucun |aucune )?(?:obstacles?|danger|risque|circulation|trafic)\b
    \b(?:pas|aucune?|plus) (?:d'|de )?(?:obstacles?|danger|voitures?|circulation|trafic|risque|véhicules?)\b
    \brien (?:devant|sur le chemin|dans le passage|en travers|ne bloque|n'obstrue|ne gêne)
    \bpas dangereu(?:x|se)\b|\binoffensi
    \b(?:vous (?:pouvez|pourrez|devez|devriez)|tu (?:peux|dois|devrais)) (?:\w+ ){0,2}<faire>\b
    \b(?:on (?:peut|devrait)|il faut) (?:\w+ ){0,2}<faire>\b
    \b(?:assez|suffisamment|beaucoup|largement) (?:de )?(?:place|d'espace|d’espace|large)\b|\bplace pour <faire>\b
    \b(?:facile|possible|temps|prête?) (?:à|de|d') ?<faire>\b|\bsans (?:difficulté|problème|encombre)\b
    \b(?:circulation|trafic|voitures|véhicules) (?:s'est|est|se sont|sont) (?:\w+ )?arrêtée?s?\b
    \bfeu (?:\w+ ){0,3}(?:vert|montre|indique)\b|\bbonhomme (?:est )?vert\b
    ^(?:il n'y a )?personne (?:devant|sur le|autour|dans le)\b
    ^(?:attention|faites attention|fais attention|reculez?|attendez|attends)\b
    ^(?:tournez|tourne|restez|reste|montez|descendez)\b
    ^(?:allez|va|venez|viens|passez|passe|écartez-vous|écarte-toi|prenez|suivez|entrez|sortez)\b
    ^faites (?:un|deux|trois)\b
    ^(?:traversez|traverse|avancez|avance|allez-y|vas-y|continuez|marchez)\b
    \bfeu est (?:au )?vert\b

    (?<!不)(?<!不太)安全(?![帽带锁门出标背套气柜座网绳岛员检须警第生栏头鞋手提玻])
    畅通|通畅|无害|无毒|可食用|可饮用|放心|通行无阻|宽敞|开阔|足够的?(?:空间|地方|宽)|空间(?:足够|充足|很大|够)
    (?:容易|方便|适合)(?:走|通过|通行|攀登|爬|行走)|(?:车辆?|交通|汽车)(?:都)?(?:已经?|都)?(?:停了|停下|停住|停止)
    (?:^|，)(?:请|快|向|往)?(?:后退|退后|前进|小心|注意|当心|左转|右转|向[左右前后]|往[左右前后]|停下|等一下|让开|直走|上楼|下楼)
    你?(?:应该|应当|必须|需要|要)(?:能|可以)?(?:[^，。]{0,4})(?:走|通过|过去|前进|后退|停下|等待)|房间(?:是)?空
    (?:行人)?(?:信号|信号灯|指示灯|红绿灯|绿灯)(?:显示|亮|是|变)[^，。]{0,4}(?:行走|通行|走|绿|了)|没有人?(?:挡|在前)|无人
    (?:路面|地面|楼梯|台阶|道路|人行道|通道)[^，。]{0,4}(?:平坦|干燥|平整|好走|干净|宽|空|稳)
    (?:没有|无|没)(?:任何)?(?:障碍|危险|阻挡|来车|车辆|车(?![牌轮窗顶门厢])|风险)
    (?<!不)可以(?:安全)?(?:地)?(?:直接)?(?:走|过|通过|通行|前进|穿过|食用|吃|喝|饮用|触摸|碰|行走|前行)
    前[方面](?:什么都)?(?:没有|无)
    空(?:荡荡|旷)?(?:无一人|无车)?的(?:道?路|街|马路|走廊|人行道)|(?:路|街)上(?:没有|空)
    (?:信号灯|交通灯|红绿灯|指示灯)(?:是|为|变成|显示)绿"""

# -- denied: what is said not to be so is no claim
DENIED = r"""
    ^(?:\w+ ){1,6}(?:is|are) (?:written|printed|engraved|painted|displayed|embroidered) (?:on|in|above|across|over)\b
    \b(?:not|isn't|aren't|never|hardly|neither|nor|cannot be|may not be)\s+(?!only\b)(?:\w+\s+)?(?:safe|<well>)\b
    \b(?:nicht|pas|no (?:es|está))\s+(?:\w+\s+)?(?:sicher|frei|sûre?s?|<libre>|dégagée?s?)(?!\w)
    \bkeine? freie[nr]?\b"""
