# growth.gnuplot: gnuplot growth.gnuplot draws growth.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'growth.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'tanh 64-w-w-1 on 256 points' noenhanced
$s0_0 << END
 9591 0.003924247 0.003924247 0.003924247
 1001881 0.008173799 0.008173799 0.008173799
 10012939 0.033520293 0.033520293 0.033520293
 100028881 0.051524569 0.051524569 0.051524569
 400058881 0.100615722 0.100615722 0.100615722
 1.0006772e+09 0.155895104 0.155895104 0.155895104
END
$s0_1 << END
 9591 0.000482633451 0.000482633451 0.000482633451
 1001881 0.00493280041 0.00493280041 0.00493280041
 10012939 0.0155943134 0.0155943134 0.0155943134
 100028881 0.0492887925 0.0492887925 0.0492887925
 400058881 0.0985706071 0.0985706071 0.0985706071
 1.0006772e+09 0.155895104 0.155895104 0.155895104
END
$s0_2 << END
 9591 0.000264855 0.000264855 0.000264855
 1001881 0.010673513 0.010673513 0.010673513
 10012939 0.097047625 0.097047625 0.097047625
 100028881 0.947193134 0.947193134 0.947193134
 400058881 3.65387533 3.65387533 3.65387533
 1.0006772e+09 9.02376744 9.02376744 9.02376744
END
$s0_3 << END
 9591 8.64883835e-05 8.64883835e-05 8.64883835e-05
 1001881 0.00903462289 0.00903462289 0.00903462289
 10012939 0.0902932862 0.0902932862 0.0902932862
 100028881 0.902026506 0.902026506 0.902026506
 400058881 3.60759524 3.60759524 3.60759524
 1.0006772e+09 9.02376744 9.02376744 9.02376744
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'K and its eigenvalues' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'n^(1/2)' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'forward and adjoint: the factors' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'n' noenhanced
unset multiplot
