"""What is never said, what is asked that no picture can answer, and what of a model's text is not volunteered."""
from __future__ import annotations

import re
import time

import pytest

from dam_ros.core.caution import asks_about_safety, banned_in, claims_safety
from dam_ros.core.catalogues import LANGUAGES, translate
from dam_ros.core.caution_words import BANNED
from dam_ros.core.phrases import CANNOT_TELL_SAFE, every_phrase
from dam_ros.core.text import sentences

MOST_WORDS = 12
SHORTENED = re.compile(r'\d\d|\b[A-Z]{2,}\b|\b\w\.\w|\b(?:etc|approx|ca|bzw|z\. ?B|p\. ?ej|p\. ?ex)\.')   # and codes

CLAIMS = (
    'The path is clear.', 'The road ahead is clear of traffic.', 'It is safe to cross.', 'The street is empty.',
    'The sidewalk appears to be free of obstacles.', 'You can walk straight ahead.',
    'You can safely cross the street now.',
    'There are no obstacles in the way.', 'There is nothing in your path.', 'Nothing is in front of you.',
    'A clear path through the park.',
    'An empty road leading to the mountains.', 'No cars are coming.', 'There is no traffic on the road.',
    'The way is unobstructed.',
    'The light is green.', 'The traffic light has turned green.', 'Go ahead.', 'Walk forward ten steps.',
    'Keep walking.', 'Turn left at the door.',
    'The area looks safe.', 'The crossing is safe now.', 'These pills are safe to take.', 'The mushroom is edible.',
    'It is harmless.',
    'The dog is not dangerous.', 'It poses no danger.', 'The stairs are free.',
    'The hallway is completely empty and clear.', 'All clear.',
    'It’s okay to touch the stove.', 'The water is fine to drink.', 'Pedestrians may cross.',
    'The door to the exit is not blocked.',
    'The coast is clear.', 'Without any obstacles, the corridor leads on.', 'An open path between the trees.',
    'The passage is free from debris.',
    'The sidewalk is wide and clear.', 'You are able to pass through.', 'The intersection seems deserted.',
    'This is a safe place.',
    'El camino está despejado.', 'La calle está vacía.', 'Es seguro cruzar.', 'Puede cruzar ahora.',
    'No hay obstáculos.', 'No hay coches.',
    'Camino libre.', 'El semáforo está en verde.', 'Las setas son comestibles.', 'Siga recto.',
    'Un pasillo sin obstáculos.',
    'Der Weg ist frei.', 'Die Straße ist leer.', 'Es ist sicher.', 'Du kannst jetzt gehen.',
    'Sie können die Straße überqueren.',
    'Keine Hindernisse in Sicht.', 'Es ist keine Gefahr zu sehen.', 'Freie Bahn.', 'Die Ampel ist grün.',
    'Gehen Sie weiter.', 'Ein freier Weg.',
    'Der Pilz ist essbar.', 'Der Hund ist harmlos.', 'Nichts im Weg.', 'Es sind keine Autos zu sehen.',
    'Le chemin est libre.', 'La rue est vide.', 'La voie est dégagée.', 'Vous pouvez traverser.',
    "Il n'y a pas d'obstacle.", "C'est sûr.",
    'Aucun danger.', 'Un couloir sans obstacles.', 'Le feu est vert.', 'Avancez.', 'Le champignon est comestible.',
    'On peut passer.',
    '道路畅通。', '这里很安全。', '没有障碍物。', '可以过马路。', '没有车。', '前方没有东西。', '空无一人的街道。',
    '这个可以吃。', '没有危险。', '信号灯是绿色。',
    'There appears to be plenty of room to pass.', 'The walkway lies wide open ahead.',
    'You should be able to pass.', 'The way forward has no hurdles.', 'Watch out and step back.',
    'The area appears to be unobstructed.', 'The pedestrian signal shows walk.',
    'The traffic has stopped.', 'The stairs are easy to climb.', 'The room is vacant.',
    'There is enough space to walk through.', 'The gap is wide enough for a person.',
    'You will not bump into anything.', 'Nothing stands between you and the door.',
    'The cars have come to a halt.', 'The vehicles are waiting for you.',
    'The floor is dry and level.', 'It is your turn to cross.', 'The walk sign is on.',
    'The light has just changed to green.', 'You have the right of way.', 'Stay on the left side.',
    'Mind the step.', 'Hold on to the railing.', 'Take two steps forward.', 'Step aside.',
    'Back up slowly.', 'Come closer.', 'Wait here.', 'Stop walking.', 'Please turn around.',
    'Do not move.', 'Nobody is in the way.', 'There is no one ahead.',
    'There is hardly any traffic.', 'The platform is clear.',
    'An unobstructed view of an unobstructed area.', 'The bridge looks sturdy.',
    'The ice is thick enough.', 'The stove is turned off.', 'The pan is cool to the touch.',
    'The dog will not bite.', 'I recommend turning left.',
    'It is possible to get past on the right.', 'One can easily walk around it.',
    'We can cross here.', 'The doorway is accessible.', 'The path leads clear through the park.',
    'Be careful.', 'You might want to wait, but you may enter.',
    'The space in front of you is empty.', 'The hall is deserted and you can go.',
    'The signal says go.', 'There are no steps ahead.', 'Climb up the ladder.',
    'The sidewalk has no obstructions.', 'Hay espacio suficiente para pasar.',
    'El camino está abierto.', 'Debería poder pasar.', 'El paso no tiene obstáculos.',
    'Cuidado, retroceda.', 'El tráfico se ha detenido.', 'La escalera es fácil de subir.',
    'La habitación está vacía.', 'No viene ningún coche.', 'Gire a la izquierda.',
    'El semáforo peatonal indica verde.', 'Puede pasar sin dificultad.',
    'Es ist genug Platz zum Durchgehen.', 'Der Gehweg liegt offen vor dir.',
    'Du solltest hier durchgehen können.', 'Der Weg hat keine Hürden.', 'Vorsicht, tritt zurück.',
    'Der Bereich ist frei.', 'Der Verkehr hat angehalten.', 'Die Treppe ist leicht zu begehen.',
    'Das Zimmer ist leer.', 'Die Fußgängerampel zeigt Grün.', 'Niemand ist im Weg.',
    'Bleiben Sie stehen.', 'Biegen Sie links ab.', 'Il y a assez de place pour passer.',
    'Le trottoir est grand ouvert.', 'Vous devriez pouvoir passer.', "La voie n'a pas d'obstacles.",
    'Attention, reculez.', "La circulation s'est arrêtée.", "L'escalier est facile à monter.",
    'La pièce est vide.', 'Le feu piéton est vert.', 'Tournez à gauche.', 'Personne sur le chemin.',
    '有足够的空间通过。', '前面的路很宽敞。', '你应该能过去。', '车都停了。',
    '小心，后退。', '楼梯容易走。', '房间是空的。', '行人信号显示通行。', '路上无人。',
    '向左转。', '地面平坦干燥。', 'Nothing obstructs the corridor.', 'The staircase seems sturdy.',
    'Vehicles have yielded.', 'Proceed with caution.', 'You could slip through on the left.',
    'Everything looks safe.',
    'Go.', 'Walk.', 'Straight on.', "There isn't anything in the way.", 'The hallway has nothing in it.',
    'The traffic has cleared.', 'The area in front of you is unoccupied.', 'It is not unsafe.',
    'It should be fine to sit down.', 'The crosswalk light is white.', 'Pedestrians are crossing, so you can too.',
    'The sidewalk continues without interruption.', 'Run!', 'Keep straight.', 'There is not a single obstacle.',
    'The corridor contains nothing.', 'The cars have all gone.', 'The zone ahead is uncluttered.',
    'This is not at all dangerous.', 'It would be fine to step outside.', 'The walk signal has turned white.',
    'Everyone else is crossing, so you may as well.', 'The pavement goes on without any break.',
    'Nobody blocks the doorway.', "You won't run into anything.", 'The road has no one on it.',
    "There aren't any cars around.", 'Walk straight.', 'Cross over now.', "There isn't a car in sight.",
    'The lobby holds no one.', 'All vehicles have come to a stop.', 'The space before you is deserted.',
    'There is nothing hazardous here.', 'It is all right to get off.', 'The crossing light turned white.',
    'Others are walking, so you could too.', 'No one obstructs the exit.', 'The doorway is unhindered.', 'Go now.',
    'The stairs have nobody on them.',
    'The sidewalk appears unobstructed.', 'There are no cars coming.', 'The road is deserted.',
    'Nothing blocks the doorway.', 'No vehicles are visible on the street.',
    'The crosswalk signal shows a white walking figure.', 'The traffic light is green.',
    'A walk signal is illuminated.', 'The stairs look easy to walk down.',
    'There is plenty of room to pass on the left.', 'The intersection has no traffic at the moment.',
    'The hallway is wide open.', 'The floor is dry and even.', 'You could walk straight ahead.',
    'The path ahead is free of obstacles.', 'The pill bottle contains two tablets that can be taken.',
    'The ice on the pond seems thick enough to walk on.', 'The dog is friendly and harmless.',
    'The platform is level with the train door.', 'The water is shallow.',
    'The gate is open, leaving the way through unimpeded.', 'The bike lane has nobody in it.',
    "There's nothing in the way.", 'The street is quiet, with no approaching cars.', 'The ladder is stable.',
    'The crossing is unoccupied.')

DESCRIPTIONS = (
    'A clear glass of water stands on the table.', 'A clear plastic bottle with a blue cap.',
    'A clear glass vase holding three tulips.',
    'An empty glass.', 'An empty wooden chair with a red cushion.', 'An empty shelf.',
    'A clear blue sky above a beach.', 'Sugar-free cola.',
    'A carton of free range eggs.', 'A gluten-free bread.', 'A black safe with a keypad on its door.',
    'A small metal safe in the corner.',
    'A safety vest in bright yellow.', 'A safety pin.', 'A dishwasher-safe plate.', 'A man in a free fall.',
    'A freestanding wardrobe.',
    'A road sign with a white arrow.', 'A dirt road winding through a green forest.',
    'A wide street lined with parked cars.',
    'A woman is walking her dog across the street.', 'A pedestrian crosses the road.',
    'People walking on the sidewalk.', 'A car stands on the road.',
    'A green traffic light on a black pole.', 'A red traffic light.',
    'A set of traffic lights with red, amber and green lamps.',
    'A clear view of the mountains through the window.', 'A transparent bag with clear edges.',
    'A clearly visible logo.', 'A closed door.',
    'An open door with a brass handle.', 'An open book with text on both pages.', 'An open laptop on a desk.',
    'The box is empty.',
    'The bowl is empty and white.', 'You can see a dog behind the fence.', 'Nothing is written on the label.',
    'There is nothing on the plate.',
    'A pile of books blocking the doorway.', 'Stairs with a metal railing.', 'A staircase made of light wood.',
    'A person stepping out of a car.',
    'The path is not clear.', 'It is not safe.', 'The road is blocked by a fallen tree.',
    'The floor is made of polished oak.',
    'A cat with a smooth, dense coat and clear green eyes.',
    'A small brown dog with a curly coat and a black nose, lying on a carpet.',
    'A white ceramic mug with a handle on its right side and a faint glaze.',
    'A cylindrical, clear bottle with a narrow neck, partly filled.',
    'A pair of black leather shoes with white laces and a smooth finish.', 'A long, narrow, brown strip on the left.',
    'A free hand holds a cup.',
    'A wet street at night with reflections of neon lights.', 'A free-standing sign with black letters.',
    'A carpeted floor with a pattern.',
    'A child riding a scooter along the path.', 'A turn signal glows orange.', 'A crossing sign in yellow and black.',
    'A step stool.',
    'A wooden crossbeam.', 'A walking stick with a silver knob.', 'A bottle of pills with a white cap.',
    'A running track with white lines.',
    'The track is red with white lines.', 'An emergency exit sign in green and white.', 'A car with its light on.',
    'Un vaso vacío en la mesa.', 'Una botella transparente y vacía.', 'Un perro camina por la calle.',
    'Un hombre al aire libre.', 'Una silla libre.',
    'La caja está vacía.', 'Una puerta con un seguro de metal.', 'Un paso de cebra con rayas blancas.',
    'Una calle estrecha con coches.',
    'Ein leeres Glas.', 'Eine klare Flasche.', 'Ein zuckerfreies Getränk.', 'Ein Hund läuft über die Straße.',
    'Die Schachtel ist leer.',
    'Eine Sicherheitsnadel.', 'Kinder spielen im Freien.', 'Ein freistehendes Regal.', 'Der Weg ist nicht frei.',
    'Eine breite Straße mit Autos.',
    'Ein grauer Gehweg mit Laub.', 'Ein Sicherheitsgurt.',
    'Un verre vide.', 'Une bouteille transparente.', 'Un chien traverse la rue.',
    'Une rue étroite avec des voitures.', 'La boîte est vide.',
    'Une main libre tient une tasse.', 'Une route bordée de platanes.', 'Un gilet de sécurité jaune.',
    '一个透明的玻璃杯。', '空的椅子。', '黄色的安全帽。', '一条安全带。', '一只狗在马路上走。', '空杯子放在桌上。',
    '一条两边有树的路。',
    'A man in a blue jacket walking on a sidewalk.', 'An open book.', 'A clear glass.',
    'A free-standing lamp.', 'An empty cup.', 'A woman holding an umbrella.',
    'A bus stopped at a bus stop.', 'A stop sign on a pole.', 'A no parking sign.',
    'A crosswalk with white stripes.', 'A wooden door with a glass pane.', 'A dog with no collar.',
    'A cup with no handle.', 'A tree without leaves.', 'A soft blanket with fringes.',
    'Cars parked along a street.', 'Step stool made of wood.', 'Cross made of gold on a chain.',
    'Head of a horse in profile.', 'Back of a wooden chair.',
    'A shelf with enough space for books.', 'The bag is large with plenty of room for clothes.',
    'A man standing at a counter.', 'A child can be seen behind the fence.',
    'The dog can be seen on the left.', 'You can see the letters on the label.',
    'A kettle on a stove.', 'A pan with a black handle.', 'A train at a platform.',
    'A man riding a wave.', 'A living room with a sofa and a table.', 'A bridge over a river.',
    'A smooth wooden floor.', 'A brick wall with a window.', 'A steep flight of stairs.',
    'A dry leaf on the ground.', 'A level on a workbench.', 'A stable with two horses.',
    'Two people waiting for a train.', 'A taxi waiting at the curb.', 'People standing in a line.',
    'An open window.', 'An open umbrella.', 'A vacant look on his face.',
    'An empty bottle on the shelf.', 'A phone with a cracked screen.', 'A walking stick.',
    'A turn signal of a car.', 'A clear plastic bag.', 'A bowl that is empty.', 'The light is on.',
    'The lamp is off.', 'A red light shines.', 'A plate with steps painted on it.',
    'A walk-in closet.', 'A pass in a holder.', 'The chair looks comfortable and sturdy.',
    'A thick book.', 'A strong man lifts a weight.', 'A drop of water on a leaf.',
    'A car in traffic.', 'A busy street with traffic.', 'A keyboard with a few keys missing.',
    'A wide river.', 'Watch with a leather strap.', 'Wait staff in uniforms.',
    'Mind map on a whiteboard.', 'Stand with newspapers.', 'Stairs leading up to a door.',
    'A man climbing a ladder.', 'A girl about to cross the street.', 'A man going down stairs.',
    'Left shoe with a red sole.', 'A remote control on a couch.', 'A cat is lying on its back.',
    'A tie with no pattern.', 'Un libro abierto.', 'Un vaso vacío.',
    'Un hombre pasea por la acera.', 'Un coche aparcado en la calle.', 'Sal y pimienta.',
    'Una puerta abierta.', 'Una lámpara de pie.', 'Un bolso con espacio para libros.',
    'Una señal de alto.', 'Ein offenes Buch.', 'Eine leere Tasse.', 'Ein Mann geht auf dem Gehweg.',
    'Ein Auto steht am Straßenrand.', 'Eine freistehende Lampe.', 'Ein Zimmer mit einem Sofa.',
    'Ein Platz mit einem Brunnen.', 'Eine Tür steht offen.', 'Eine Tasse ohne Henkel.',
    'Eine Straße mit vielen Autos.', 'Un livre ouvert.', 'Une tasse vide.',
    'Un homme marche sur le trottoir.', 'Une voiture garée dans la rue.', 'Une porte ouverte.',
    'Une pièce avec un canapé.', 'Une tasse sans anse.', 'Un panneau stop.',
    'Une personne devant une porte.', '一本打开的书。',
    '一个空杯子。', '一个男人走在人行道上。', '一辆停在路边的车。', '一盏落地灯。',
    '一间有沙发的房间。', '一扇开着的门。', '没有叶子的树。',
    'Back right corner of a white car.', 'Head down, a man reads.', 'A red car has stopped at the crossing.',
    'It is time to eat according to the clock.', 'Follow the white rabbit is written on a sign.',
    'A ripe banana lies on a plate; it is good to eat for breakfast.', 'Back left wheel of a truck.',
    'Head tilted back, a woman laughs.', 'A white bus has stopped in front of a shop.',
    'A clock shows that it is time to eat.', 'Go team is printed on a blue shirt.', 'A man has stopped walking.',
    'A wooden chair has nothing on it.', 'A white light hangs from the ceiling.', 'A dog turns right at a tree.',
    'The traffic is heavy on a wet road.', 'A sports car passes a truck.', 'A cross hangs on a wall.',
    'The drawer holds nothing but pens.', 'A woman walks straight on through a garden.', 'Back seat of a taxi.',
    'Head bowed, a monk prays.', 'A school bus has stopped by a house.', 'The clock tower shows noon.',
    'Keep smiling is painted on a mug.', 'A green light glows on a router.', 'A runner has passed the finish line.',
    'The hall has a high ceiling.', 'A police car with blue lights.', 'Right hand of a statue.', 'A walk in autumn.',
    'The man has nothing on his head.', 'A lane with flowers.', 'A bicycle leans against a wall and is not locked.',
    'Two buses have open doors.',
    'A safe with a round dial stands in the corner.', 'An empty glass on a table.',
    'A clear glass bottle with a blue label.', 'A man in a clear plastic raincoat.', 'A sign reading Free Wi-Fi.',
    'A black dog lying on grass.', 'A red car parked at the kerb.', 'A bowl of green apples.',
    'A safety vest in bright orange.', 'An open book with a blue cover.', 'A white door with a brass handle.',
    'A narrow road between fields.', 'A sky with no clouds.', 'A table with nothing but a lamp on it.',
    'A quiet lake at dusk.', 'A wooden gate, half open.', 'A stove with four burners.', 'A mushroom with a red cap.',
    'A ladder leaning on a wall.', 'A yellow sign with a walking figure above a door.',
    'A wooden chair that looks old.', 'A plate that was taken away.', 'A tablet computer on a desk.')

QUESTIONS = (
    'Is it safe to cross?', 'Can I cross now?', 'Can I go?', 'May I walk here?', 'Is the light green?',
    'What colour is the traffic light?',
    'Is the road clear?', 'Is the way free?', 'Are there any cars coming?', 'Is anything in my way?',
    'Which pills are these?', 'What dose is this?',
    'Is this medicine expired?', 'Can I eat this?', 'Can I drink this?', 'Can I touch it?',
    'Does it contain peanuts?', 'Is there gluten in it?',
    'Am I allergic to this?', 'Is this mushroom edible?', 'Is the dog dangerous?', 'Is the stove on?',
    'Is this food spoiled?', 'Is it safe',
    'Should I take this?', 'Can we walk through?', 'Are there obstacles?', 'Is the pedestrian light red?',
    'how many tablets are in the box',
    'Is the milk still good?', 'Can I pass?', 'Could I step down here?', 'Is that poisonous?',
    'is the crosswalk signal on', 'Tell me if I can go ahead',
    '¿Es seguro cruzar?', '¿Puedo cruzar?', '¿De qué color está el semáforo?', '¿Puedo comer esto?',
    '¿Qué pastillas son?', '¿Está libre el camino?',
    '¿Está caducado?', '¿Tiene gluten?', '¿Puedo tocarlo?', '¿Es peligroso?',
    'Ist es sicher?', 'Kann ich gehen?', 'Kann ich jetzt über die Straße gehen?', 'Ist die Ampel grün?',
    'Welche Tabletten sind das?',
    'Darf ich das essen?', 'Ist der Weg frei?', 'Ist das giftig?', 'Kommt ein Auto?', 'Ist die Milch abgelaufen?',
    'Wie ist die Dosierung?',
    'Est-ce que je peux traverser ?', "C'est sûr ?", 'Le feu est-il vert ?', 'De quelle couleur est le feu piéton ?',
    'Puis-je manger ça ?',
    'Quels médicaments ?', 'La voie est libre ?', 'Est-ce dangereux ?', 'Est-il périmé ?',
    '安全吗？', '可以过马路吗？', '红绿灯是什么颜色？', '这是什么药？', '能吃吗？', '前面有车吗？', '有障碍物吗？',
    '过期了吗？',
    'Is there a step in front of me?', 'Is the floor wet?', 'Are there stairs ahead?',
    'Is there a drop?', 'Is there a hole in the ground?', 'How far is the edge?', 'Is it slippery?',
    'Is the stove hot?', 'Is the pan hot?', 'Is it sharp?', 'Is the knife sharp?',
    'How is the traffic?', 'Is there much traffic?', 'Does it contain nuts?',
    'What is the expiration date?', 'When does the milk expire?',
    'How many of these should I take?', 'Where are the stairs?', 'Could I trip?',
    'What is the dosage?', 'Is the water hot?', 'Is there ice on the path?', 'Is the meat raw?',
    '¿Hay un escalón?', '¿Está mojado el suelo?', '¿Resbala?', '¿Hay una escalera delante?',
    '¿Hay mucho tráfico?', '¿Está encendida la cocina?', '¿Cuál es la fecha de caducidad?',
    '¿Está afilado?', '¿Hay un agujero?', 'Ist da eine Stufe?', 'Ist der Boden nass?',
    'Ist es rutschig?', 'Gibt es hier eine Treppe?', 'Ist der Herd an?', 'Wie ist das Ablaufdatum?',
    'Ist das Messer scharf?', 'Ist viel Verkehr?', 'Sind Nüsse drin?', 'Ist hier ein Loch?',
    'Y a-t-il une marche devant moi ?', 'Le sol est-il mouillé ?', 'Est-ce glissant ?',
    'Y a-t-il un escalier ?', 'La plaque est-elle chaude ?', 'Quelle est la date de péremption ?',
    'Y a-t-il beaucoup de circulation ?', 'Y a-t-il un trou ?', '前面有台阶吗？', '地板湿吗？', '滑吗？', '有楼梯吗？',
    '炉子开着吗？', '保质期到什么时候？', '锋利吗？', '车多吗？', '有坚果吗？',
    'Is the oven on?', 'Is the iron still hot?', 'Does this cake contain nuts?', 'Has the meat gone off?',
    'Is the hill steep?', 'Is the pan on the stove hot?', 'Is there a bike in my way?', 'How deep is the water here?',
    'Is it made with eggs?', 'Does the fish smell off?', 'Is the gas off?', 'Are the stairs steep?', 'Is it fresh?',
    'Is the kettle on?', 'Can I go in?', 'Is the cooker on, or is the stove off?', 'Is the soup off?',
    'Is this bread made with wheat?', 'Is there milk in it?', 'Is the slope too steep?', 'Is the radiator hot?',
    'Does it smell bad?', 'Is the path uneven?', 'What is in my way?', 'Does that have sugar in it?',
    'Is the water shallow?', 'Has the cheese gone bad?', 'Is the plate hot?', 'Can I enter?', 'Is the pot still on?',
    'Can I go now?', 'Is it okay to step off here?', 'May I take two of these pills?', 'Is there a car coming?',
    'Is the light red or green?', 'Could I walk across?', 'Is there anything in my way?', 'Is this milk still good?',
    'Which of these is my blood pressure tablet?', 'Is this dog dangerous?', 'How deep is the water?',
    'Is the ground icy?', 'When does this expire?', 'Are there steps in front of me?', 'Is the platform edge near?')

OTHER_QUESTIONS = (
    'What is this?', 'What colour is it?', 'What does the stop sign say?', 'Is there a dog?',
    'How many people are there?', 'Where is the door?',
    'Is the glass clear or coloured?', 'Is the chair free?', 'Who is that?', 'What is written on the label?',
    'Is the cup empty?', 'Read it to me.',
    'Does he wear a cross?', 'How big is it?', 'What is the man wearing?', 'Is the door open?',
    'Is the window closed?', 'What brand is it?',
    'Are there flowers on the table?', 'What is on the shelf?', 'Describe the picture.', 'What kind of car is it?',
    'Is it a cat or a dog?',
    'What is behind the sofa?', 'Is the lamp red?', 'Can you tell me the colour?', 'Can I ask you something?',
    'Is the laptop on?', 'What time is it?',
    'Is she smiling?', 'What pattern is on the shirt?', 'Is there text on it?', 'What is it made of?',
    'Can I see it again?', 'Is it raining?',
    '¿Qué es esto?', '¿De qué color es?', '¿Cuántas personas hay?', '¿Dónde está la puerta?', '¿Está vacía la taza?',
    '¿Qué dice la etiqueta?',
    '¿Puedo preguntar algo?', '¿Es un gato?', '¿Lleva gafas?', '¿De qué está hecho?',
    'Was ist das?', 'Welche Farbe hat es?', 'Wie viele Leute sind da?', 'Wo ist die Tür?', 'Ist die Tasse leer?',
    'Was steht auf dem Schild?',
    'Ist der Stuhl rot?', 'Trägt er eine Brille?', 'Wie groß ist es?', 'Ist es eine Katze?',
    "Qu'est-ce que c'est ?", 'De quelle couleur est la tasse ?', 'Combien de personnes ?', 'Où est la porte ?',
    'Que dit le panneau ?',
    'La tasse est vide ?', 'Il porte des lunettes ?', "C'est un chat ?", 'Quelle taille ?',
    '这是什么？', '什么颜色？', '有几个人？', '门在哪里？', '上面写着什么？', '杯子是空的吗？', '他戴眼镜吗？',
    'What colour is it?', 'How many steps does the ladder have?',
    'What pattern has the edge of the plate?', 'What colour are the stairs?', 'Is the shirt dry?',
    'What is on the stove?', 'Is there a dog near the tree?',
    'What shape is the hole in the cheese?', 'Is the water blue?', 'What is the name of the dish?',
    'Is the kettle red?', '¿De qué color es la escalera?', '¿Hay un perro?',
    '¿Qué hay en la cocina?', 'Welche Farbe hat die Treppe?', 'Gibt es hier einen Hund?',
    'Was steht auf dem Herd?', 'De quelle couleur est le sol ?', 'Y a-t-il un chien ?', '楼梯是什么颜色？',
    '炉子上有什么？', '有狗吗？',
    'Is the TV on or off?', 'Is the light on or off?', 'Which pan is on the left?',
    'What is next to the plate on the table?', 'Is the person with milk?', 'Can I use it?',
    'What is written on the sign in the way?', 'Is the window steep?', 'Is the radio off?', 'What is on the plate?',
    'Who stands next to the pot on the shelf?', 'Is the fan on or off?', 'Is the man with the milk bottle old?',
    'Can I use this chair?', 'What colour is the sign on the path?', 'Is the girl with an egg smiling?',
    'Does she have milk in her hand?', 'Which plate is on top?', 'Is the roof steep?', 'Is the screen on?',
    'What does the poster on the way say?', 'Is the water bottle on the desk?', 'Is the picture deep blue?',
    'Is the computer off?', 'Which pot is on top of the shelf?', 'What is on the iron table?',
    'Is the water on the left?', 'Does the boy have eggs?', 'What colour is the thing on the path?',
    'Can I use this?', 'Is his voice deep?', 'Is the monitor on or off?', 'What does the plate on the wall show?',
    'Is the angle of the arrow steep?', 'Who is with the milk man?', 'Is the switch off?',
    'Is the kettle on the table?', 'How many eggs are there?',
    'Is it okay to ask what this is?', 'What is on the tablet on the desk?')


# -- the system's own words

@pytest.mark.parametrize('language', LANGUAGES)
def test_no_message_claims_a_free_way_tells_anyone_to_move_or_is_certain(language):
    found = {message: banned_in(translate(message, language).text, language) for message in every_phrase()
             if message != CANNOT_TELL_SAFE}
    assert {message: words for message, words in found.items() if words} == {}


@pytest.mark.parametrize('language', LANGUAGES)
def test_no_message_would_be_taken_for_a_claim_of_safety(language):
    others = [one for one in every_phrase() if one != CANNOT_TELL_SAFE]
    assert [one for one in others if claims_safety(translate(one, language).text)] == []


@pytest.mark.parametrize('language', LANGUAGES)
def test_messages_are_short_and_without_codes_and_abbreviations(language):
    for message in every_phrase():
        text = translate(message, language).text
        assert not SHORTENED.search(text), text
        for sentence in sentences(text):
            assert len(sentence.split()) <= MOST_WORDS, sentence
            assert len(re.findall('[\u4e00-\u9fff]', sentence)) <= 2 * MOST_WORDS, sentence


@pytest.mark.parametrize(('language', 'text'), (
    ('en', 'The way is free.'), ('en', 'Please go on.'), ('en', 'I am sure.'), ('en', 'Clearly a dog.'),
    ('es', 'Camino libre.'),
    ('es', 'Sin duda.'), ('de', 'Der Weg ist frei.'), ('de', 'Gehen Sie los.'), ('fr', 'Rien devant.'),
    ('fr', 'Certainement.'),
    ('zh', '前面很安全'), ('zh', '请走'), ('en', 'It is 100 % a dog.')))
def test_the_lists_find_what_they_are_for(language, text):
    assert banned_in(text, language)


def test_the_lists_are_complete():
    assert set(BANNED) == set(LANGUAGES)
    assert banned_in('I cannot tell whether it is safe.', 'en') == ['safe']


# -- a model's sentences and a person's questions

@pytest.mark.parametrize('sentence', CLAIMS)
def test_claims_of_safety_are_seen(sentence):
    assert claims_safety(sentence)
    assert claims_safety(sentence.upper()) and claims_safety(f'  {sentence} ')


@pytest.mark.parametrize('sentence', DESCRIPTIONS)
def test_descriptions_are_no_claims(sentence):
    assert not claims_safety(sentence)


@pytest.mark.parametrize('question', QUESTIONS)
def test_questions_about_safety_are_seen(question):
    assert asks_about_safety(question)
    assert asks_about_safety(question.lower())


@pytest.mark.parametrize('question', OTHER_QUESTIONS)
def test_other_questions_are_none(question):
    assert not asks_about_safety(question)


def test_the_tables_are_large_enough_to_mean_something():
    assert min(len(CLAIMS), len(DESCRIPTIONS), len(QUESTIONS), len(OTHER_QUESTIONS)) >= 60


@pytest.mark.parametrize('text', ['the road ', 'safe ', 'no ', 'can I ', 'you can ', 'a' * 50, 'is ', '安全', ' ',
    'der weg ist ', 'clear '])
def test_no_text_stalls_it(text):
    text = text * (100_000 // len(text))
    begun = time.perf_counter()
    claims_safety(text), asks_about_safety(text)
    assert time.perf_counter() - begun < 1.0
