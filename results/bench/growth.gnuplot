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
 9591 0.004920755 0.004920755 0.004920755
 1001881 0.011940873 0.011940873 0.011940873
 10012939 0.025715534 0.025715534 0.025715534
 100028881 0.069721103 0.069721103 0.069721103
 400058881 0.135902698 0.135902698 0.135902698
 1.0006772e+09 0.206434617 0.206434617 0.206434617
END
$s0_1 << END
 9591 0.000639098015 0.000639098015 0.000639098015
 1001881 0.00653196116 0.00653196116 0.00653196116
 10012939 0.0206498218 0.0206498218 0.0206498218
 100028881 0.065267688 0.065267688 0.065267688
 400058881 0.130526136 0.130526136 0.130526136
 1.0006772e+09 0.206434617 0.206434617 0.206434617
END
$s0_2 << END
 9591 0.000318173 0.000318173 0.000318173
 1001881 0.014047408 0.014047408 0.014047408
 10012939 0.127349467 0.127349467 0.127349467
 100028881 1.07392153 1.07392153 1.07392153
 400058881 4.15261084 4.15261084 4.15261084
 1.0006772e+09 10.1430177 10.1430177 10.1430177
END
$s0_3 << END
 9591 9.72158478e-05 9.72158478e-05 9.72158478e-05
 1001881 0.0101552196 0.0101552196 0.0101552196
 10012939 0.101492686 0.101492686 0.101492686
 100028881 1.01390809 1.01390809 1.01390809
 400058881 4.05505821 4.05505821 4.05505821
 1.0006772e+09 10.1430177 10.1430177 10.1430177
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
