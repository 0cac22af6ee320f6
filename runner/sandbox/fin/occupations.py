"""Occupations by id: two are known from the provider's pages, all others are chosen.

Id 1 is from the V1 guide, id 504 from an example of beneficiaries/fetch-beneficiary-details-v2. The real list is longer
than one page, and so is this one.
"""

from __future__ import annotations

_TITLES = """
Software Engineer;Accountant;Actor;Actuary;Administrative assistant;Aircraft pilot;Air traffic controller
Ambulance driver;Anthropologist;Archaeologist;Architect;Art director;Artist;Astronomer;Auditor;Baker;Bank teller
Barber;Bartender;Biologist;Bookkeeper;Broker;Bus driver;Business analyst;Butcher;Carpenter;Cashier;Chef
Chemical engineer;Chemist;Chief executive;Childcare worker;Chiropractor;Civil engineer;Claims adjuster;Cleaner
Clergy;Coach;Computer programmer;Construction manager;Consultant;Cook;Counselor;Court reporter;Credit analyst
Customer service representative;Dancer;Data scientist;Database administrator;Dental hygienist;Dentist;Designer
Detective;Dietitian;Economist;Editor;Electrical engineer;Electrician;Event planner;Farmer;Fashion designer
Film director;Financial analyst;Firefighter;Fisher;Fitness trainer;Flight attendant;Florist;Gardener;Geologist
Graphic designer;Hairdresser;Historian;Home maker;Hotel manager;Human resources specialist;Immigration officer
Insurance agent;Interior designer;Interpreter;Journalist;Judge;Laboratory technician;Lawyer;Librarian
Logistics manager;Machinist;Marketing manager;Mason;Mathematician;Mechanic;Mechanical engineer;Midwife
Military personnel;Miner;Musician;Network administrator;Nurse;Occupational therapist;Optician;Painter;Paramedic
Pharmacist;Photographer;Physician;Physicist;Physiotherapist;Plumber;Police officer;Politician;Postal worker
Producer;Psychologist;Real estate agent;Receptionist;Retail manager;Sailor;Sales representative;Scientist
Security guard;Social worker;Student;Surgeon;Surveyor;Tailor;Teacher;Technician;Tour guide;Translator;Truck driver
Veterinarian;Waiter;Web developer;Welder;Writer
"""
OCCUPATIONS: dict[int, str] = {
    **dict(enumerate(_TITLES.strip().replace("\n", ";").split(";"), 1)),
    504: "Software quality assurance analyst and tester",
}
